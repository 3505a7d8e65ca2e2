/** The subject with one thing different, as patches: what a check needs of a release of its own. */
import type { ManifestPatch } from '../../harness/kube/manifests/patch.ts';
import { CONFIG_MAP, DEPLOYMENT } from './names.ts';

const POD = '/spec/template/spec';

/**
 * So many replicas that ask for little CPU: releases of several checks stand side by side on a small cluster, and what they ask
 * for is checked elsewhere.
 */
export function replicas(count: number): ManifestPatch[] {
  const request = '/resources/requests/cpu';
  return [
    {
      target: { kind: 'Deployment', name: DEPLOYMENT },
      ops: [
        { op: 'add', path: '/spec/replicas', value: count },
        { op: 'add', path: `${POD}/containers/[name=api]${request}`, value: '50m' },
        { op: 'add', path: `${POD}/initContainers/[name=migrations]${request}`, value: '50m' },
      ],
    },
  ];
}

/** Other values under documented keys of the ConfigMap. */
export function configured(values: Readonly<Record<string, string>>): ManifestPatch[] {
  return [
    {
      target: { kind: 'ConfigMap', name: CONFIG_MAP },
      ops: Object.entries(values).map(([key, value]) => ({ op: 'add', path: `/data/${key}`, value })),
    },
  ];
}

/** A new revision that differs in nothing that matters: what `kubectl rollout restart` does. */
export function restarted(mark: string): ManifestPatch[] {
  return [
    {
      target: { kind: 'Deployment', name: DEPLOYMENT },
      ops: [{ op: 'add', path: '/spec/template/metadata/annotations/kindproof.dev~1restarted', value: mark }],
    },
  ];
}

/** The line that the documents want taken out when an autoscaler decides. */
export const leftToTheAutoscaler: readonly ManifestPatch[] = [
  { target: { kind: 'Deployment', name: DEPLOYMENT }, ops: [{ op: 'remove', path: '/spec/replicas' }] },
];

/** Pods that are only counted: no scheduler takes care of them, so they cost nothing. */
export const unscheduled: readonly ManifestPatch[] = [
  {
    target: { kind: 'Deployment', name: DEPLOYMENT },
    ops: [{ op: 'add', path: `${POD}/schedulerName`, value: 'nobody' }],
  },
];

/** Liveness that needs seconds instead of half a minute to give up: what it must not do shows sooner. */
export const impatientLiveness: readonly ManifestPatch[] = [
  {
    target: { kind: 'Deployment', name: DEPLOYMENT },
    ops: [
      { op: 'add', path: `${POD}/containers/[name=api]/livenessProbe/periodSeconds`, value: 2 },
      { op: 'add', path: `${POD}/containers/[name=api]/livenessProbe/failureThreshold`, value: 3 },
    ],
  },
];
