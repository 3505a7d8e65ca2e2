/** For unit tests of waits: a cluster that changes while the wait sleeps. */
import type { Clock } from '../core/deadline.ts';
import type { KubeClient } from '../kube/api/client.ts';
import type { KubeObject } from '../kube/api/types.ts';

/** Everything in the cluster. `list` ignores selectors and namespaces. */
export type ClusterState = readonly KubeObject[];

/** Each sleep of the clock moves the cluster on to the next state; the last one stays. */
export function changingCluster(...states: ClusterState[]): { kube: KubeClient; clock: Clock } {
  let now = 0;
  let step = 0;
  const objects = (): ClusterState => states[Math.min(step, states.length - 1)] ?? [];
  const kindOf = (kind: string | { kind: string }): string => (typeof kind === 'string' ? kind : kind.kind);
  const kube: Partial<KubeClient> = {
    get: ((kind: string, { name }: { name: string }) =>
      Promise.resolve(
        objects().find((o) => o.kind === kindOf(kind) && o.metadata.name === name),
      )) as KubeClient['get'],
    list: ((kind: string) =>
      Promise.resolve(objects().filter((o) => o.kind === kindOf(kind)))) as KubeClient['list'],
    resources: () =>
      Promise.resolve([
        {
          apiVersion: 'v1',
          kind: 'ConfigMap',
          plural: 'configmaps',
          namespaced: true,
          verbs: ['list', 'delete'],
        },
      ]),
  };
  const clock: Clock = {
    now: () => now,
    sleep: (ms) => {
      now += ms;
      step += 1;
      return Promise.resolve();
    },
  };
  return { kube: kube as KubeClient, clock };
}
