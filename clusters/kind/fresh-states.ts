/** Waits until the API has states of restarted nodes that are newer than the restart. */
import { z } from 'zod';
import type { CommandRunner } from '../../harness/core/command.ts';
import type { Clock } from '../../harness/core/deadline.ts';
import { waitFor, WaitTimeout } from '../../harness/core/deadline.ts';
import { InfrastructureError } from '../../harness/core/errors.ts';
import type { KubeClient } from '../../harness/kube/api/client.ts';
import type { Pod } from '../../harness/kube/api/types.ts';
import { heartbeatOf } from '../nodes/system-readiness.ts';

/** Start time of each node's container, ms since the epoch. */
export async function startTimes(run: CommandRunner, names: readonly string[]): Promise<Map<string, number>> {
  const { stdout } = await run.run('docker', [
    'inspect',
    '--format',
    '{{.Name}} {{.State.StartedAt}}',
    ...names,
  ]);
  const rows = stdout.split('\n').filter((row) => row !== '');
  return new Map(
    rows.map((row) => {
      const [name = '', startedAt = ''] = row.split(' ');
      return [name.replace(/^\//, ''), z.coerce.date().parse(startedAt).getTime()] as const;
    }),
  );
}

/**
 * For 40 s after the restart of a node, the API shows its old state as if it were current. Waits until the kubelet has reported since, and
 * until no container has a start time before that of its node.
 *
 * @param started start times by node name
 * @throws InfrastructureError `E_CLUSTER_NOT_READY`
 */
export async function waitForFreshStates(
  { kube, clock, signal }: { kube: KubeClient; clock: Clock; signal?: AbortSignal | undefined },
  started: ReadonlyMap<string, number>,
): Promise<void> {
  // API times are whole seconds.
  const isStale = (time: string | undefined, node: string | undefined) =>
    Date.parse(time ?? '') + 1000 <= (started.get(node ?? '') ?? 0);
  try {
    await waitFor({
      what: 'fresh states of restarted nodes',
      timeoutMs: 60_000,
      intervalMs: 500,
      clock,
      signal,
      look: async () => {
        const [nodes, pods] = await Promise.all([kube.list('Node'), kube.list('Pod')]);
        const stale = [
          ...nodes.filter((node) => isStale(heartbeatOf(node), node.metadata.name)),
          ...pods.filter((pod) => runningSince(pod).some((time) => isStale(time, pod.spec.nodeName))),
        ];
        if (stale.length === 0) return { done: true, value: undefined };
        const names = stale.map((object) => object.metadata.name).join(', ');
        return { done: false, seen: `states from before a node's restart: ${names}` };
      },
    });
  } catch (error) {
    if (!(error instanceof WaitTimeout)) throw error;
    throw new InfrastructureError('E_CLUSTER_NOT_READY', error.message, { cause: error });
  }
}

function runningSince(pod: Pod): string[] {
  return (pod.status?.containerStatuses ?? []).flatMap((status) => status.state?.running?.startedAt ?? []);
}
