/** The running containers of pods, and what their nodes know about them: memory, processes. */
import { waitFor } from '../../harness/core/deadline.ts';
import { CheckFailure } from '../../harness/core/errors.ts';
import type { Pod } from '../../harness/kube/api/types.ts';
import type { NodeAccess } from '../../harness/kube/cluster/cluster.ts';
import { cgroupOf, type ContainerCgroup, type MemoryFacts } from './container-cgroup.ts';

export interface RunningContainer {
  pod: Pod;
  container: string;
  cgroup: ContainerCgroup;
}

/** Codes of a container that has ended since its pod was read; it has no cgroup until it runs again. */
const ENDED: ReadonlySet<string> = new Set(['E_CGROUP_GONE', 'E_NOT_RUNNING']);

/** Main containers and sidecars of a pod: those that keep running. */
export function runningContainersOf({ spec }: Pod): string[] {
  const sidecars = (spec.initContainers ?? []).filter(({ restartPolicy }) => restartPolicy === 'Always');
  return [...spec.containers, ...sidecars].map(({ name }) => name);
}

function runs({ status }: Pod, container: string): boolean {
  const statuses = [...(status?.containerStatuses ?? []), ...(status?.initContainerStatuses ?? [])];
  return statuses.some(({ name, state }) => name === container && state?.running !== undefined);
}

/** Reads the memory of all running containers, as `runningContainers`. */
export async function containerMemory(
  nodes: NodeAccess,
  readPods: () => Promise<readonly Pod[]>,
): Promise<(RunningContainer & { memory: MemoryFacts })[]> {
  const found = await runningContainers(nodes, readPods, (cgroup) => cgroup.memory());
  return found.map(({ value: memory, ...container }) => ({ ...container, memory }));
}

/**
 * Reads something of all running containers by their cgroups. One that has ended has none until it is started again, and is left out.
 *
 * @param readPods reads the pods anew: a restarted container has another id
 * @throws WaitTimeout naming the container without a cgroup
 */
export function runningContainers<T>(
  nodes: NodeAccess,
  readPods: () => Promise<readonly Pod[]>,
  read: (cgroup: ContainerCgroup) => Promise<T>,
): Promise<(RunningContainer & { value: T })[]> {
  return waitFor<(RunningContainer & { value: T })[]>({
    what: 'every container to have a cgroup on its node',
    timeoutMs: 60_000,
    look: async () => {
      const pods = await readPods();
      const containers = pods.flatMap((pod) =>
        runningContainersOf(pod)
          .filter((container) => runs(pod, container))
          .map((container) => ({ pod, container })),
      );
      try {
        const value = await Promise.all(
          containers.map(async ({ pod, container }) => {
            const cgroup = await cgroupOf(nodes, pod, container);
            return { pod, container, cgroup, value: await read(cgroup) };
          }),
        );
        return { done: true, value };
      } catch (error) {
        if (error instanceof CheckFailure && ENDED.has(error.code))
          return { done: false, seen: error.message };
        throw error;
      }
    },
  });
}
