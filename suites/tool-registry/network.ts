/** Policies that checks put in the way. */
import type { KubeObject } from '../../harness/kube/api/types.ts';

/** Every pod of the namespace may open connections to these ports only, wherever they are. */
export function egressOnlyTo(ports: readonly number[]): KubeObject {
  const rules = ports.flatMap((port) => ['UDP', 'TCP'].map((protocol) => ({ protocol, port })));
  return {
    apiVersion: 'networking.k8s.io/v1',
    kind: 'NetworkPolicy',
    metadata: { name: 'kindproof-egress' },
    spec: { podSelector: {}, policyTypes: ['Egress'], egress: [{ ports: rules }] },
  };
}
