/** Patches by which checks prepare the server, whatever values its chart has. */
import type { ManifestPatch } from '../../harness/kube/manifests/patch.ts';
import { patch } from '../../fixtures/faults/patches.ts';
import type { Server } from './server.ts';

const HOSTNAME = 'kubernetes.io/hostname';

/** Gives the server so many replicas; none where an autoscaler decides. */
export function withReplicas({ object, workload }: Server, count: number): ManifestPatch[] {
  return workload.autoscaler
    ? []
    : patch(targetOf(object), { op: 'add', path: '/spec/replicas', value: count });
}

/** Binds the server to a node, in addition to its own selector. */
export function onNode({ object, workload }: Server, node: string): ManifestPatch {
  const { nodeSelector = {} } = workload.template.spec;
  const value = { ...nodeSelector, [HOSTNAME]: node };
  return { target: targetOf(object), ops: [{ op: 'add', path: '/spec/template/spec/nodeSelector', value }] };
}

function targetOf({ kind, metadata }: Server['object']): { kind: string; name: string } {
  return { kind, name: metadata.name };
}
