/** The processes of the running containers of pods, read on their nodes: an image may have no shell. */
import type { ContainerProcess } from '../../clusters/nodes/container-cgroup.ts';
import { runningContainers } from '../../clusters/nodes/container-memory.ts';
import type { Pod } from '../../harness/kube/api/types.ts';
import type { NodeAccess } from '../../harness/kube/cluster/cluster.ts';
import { parseProcessStatus } from '../../harness/observe/predicates/live/process.ts';
import type { SeenProcess } from '../../harness/observe/predicates/live/security-context.ts';

export interface SeenContainer {
  pod: Pod;
  container: string;
  /** The first one first. */
  processes: SeenProcess[];
}

/** @param readPods reads the pods anew: a container may be restarted meanwhile */
export async function seenContainers(
  nodes: NodeAccess,
  readPods: () => Promise<readonly Pod[]>,
): Promise<SeenContainer[]> {
  const found = await runningContainers(nodes, readPods, (cgroup) => cgroup.processes());
  return found.map(({ pod, container, value }) => ({
    pod,
    container,
    processes: value.filter((one) => !isBeingSetUp(one)).map(seen),
  }));
}

/** Such as the command of a probe, before it is started: the runtime has not restricted it yet. */
function isBeingSetUp({ status }: ContainerProcess): boolean {
  return /^Name:\s*runc:\[/m.test(status);
}

/** As a process inside of the container sees it: a pod may have a user namespace of its own. */
function seen({ pids, status, uidMap, gidMap, rootMount }: ContainerProcess): SeenProcess {
  const { uids, gids, groups, ...others } = parseProcessStatus(status);
  return {
    ...others,
    uids: uids.map((id) => inside(uidMap, id)),
    gids: gids.map((id) => inside(gidMap, id)),
    groups: groups.map((id) => inside(gidMap, id)),
    pid: pids.at(-1) ?? 0,
    isRootReadOnly: rootMount?.split(',').includes('ro'),
  };
}

/** Lines of a map: first id inside, first id outside, number of ids (user_namespaces(7)). */
function inside(map: string, id: number): number {
  for (const line of map.trim().split('\n')) {
    const [within = 0, outside = 0, count = 0] = line.trim().split(/\s+/).map(Number);
    if (id >= outside && id < outside + count) return id - outside + within;
  }
  return id;
}
