/** Patches for a check's own release that change one thing of the subject. */
import type { ManifestPatch } from '../../harness/kube/manifests/patch.ts';
import { CONFIG_MAP, DEPLOYMENT } from './names.ts';

const POD = '/spec/template/spec';

/**
 * The number of replicas, with small CPU requests: several releases have to fit on a small cluster at once. The real requests are
 * checked elsewhere.
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

/** A new revision without a real difference, as `kubectl rollout restart` makes it. */
export function restarted(mark: string): ManifestPatch[] {
  return [
    {
      target: { kind: 'Deployment', name: DEPLOYMENT },
      ops: [{ op: 'add', path: '/spec/template/metadata/annotations/kindproof.dev~1restarted', value: mark }],
    },
  ];
}

/** Without the line that the documents remove when an autoscaler decides. */
export const leftToTheAutoscaler: readonly ManifestPatch[] = [
  { target: { kind: 'Deployment', name: DEPLOYMENT }, ops: [{ op: 'remove', path: '/spec/replicas' }] },
];

/** Pods that no scheduler places: they can be counted and use nothing. */
export const unscheduled: readonly ManifestPatch[] = [
  {
    target: { kind: 'Deployment', name: DEPLOYMENT },
    ops: [{ op: 'add', path: `${POD}/schedulerName`, value: 'none' }],
  },
];

/** A liveness probe that fails after seconds instead of half a minute, and a restart without a grace period: a wrong one shows sooner. */
export const impatientLiveness: readonly ManifestPatch[] = [
  {
    target: { kind: 'Deployment', name: DEPLOYMENT },
    ops: [
      { op: 'add', path: `${POD}/containers/[name=api]/livenessProbe/periodSeconds`, value: 2 },
      { op: 'add', path: `${POD}/containers/[name=api]/livenessProbe/failureThreshold`, value: 3 },
      {
        op: 'add',
        path: `${POD}/containers/[name=api]/livenessProbe/terminationGracePeriodSeconds`,
        value: 1,
      },
    ],
  },
];
