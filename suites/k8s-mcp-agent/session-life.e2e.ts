/** What sessions need, and what they leave behind: seen from the node, so that it holds for any image. */
import { cgroupOf } from '../../clusters/container-of.ts';
import type { ContainerCgroup, MemoryFacts } from '../../clusters/node-cgroup.ts';
import type { AttachedCluster } from '../../harness/run/suite/attached-cluster.ts';
import { noRestartsNoOom } from '../../harness/observe/predicates/live/restarts.ts';
import { waitFor } from '../../harness/core/deadline.ts';
import { CheckFailure } from '../../harness/core/errors.ts';
import { formatBytes } from '../../harness/kube/api/quantity.ts';
import type { Pod } from '../../harness/kube/api/types.ts';
import { expect } from '../../harness/run/suite/assertions.ts';
import { containerStatus, type Release } from '../../harness/run/suite/release.ts';
import { anyAgentPod } from './gpu-nodes.ts';
import { INVENTORY_TOOL } from './inventory.ts';
import { requirement } from './kit.ts';
import { AGENT_CONTAINER, openSession } from './mcp-session.ts';

/** The requirement's own limit for the end of a session. */
const EXIT_MS = 5000;
/** For the node to notice that the client is gone, and then the agent; each look takes the node a moment. */
const LEFT_MS = 30_000;
const START_MS = 30_000;
const SESSIONS = 4;

requirement(
  'G-10',
  'idles as `sleep infinity`, and was never restarted',
  { needs: ['node-access'] },
  async ({ release, cluster, observe }) => {
    const pods = await release.pods();
    for (const pod of pods) {
      const first = await firstProgramOf(cluster, pod);
      expect(first.replace(/^\S*\//, ''), `first process of ${pod.metadata.name}`).toBe('sleep infinity');
      observe(`${pod.metadata.name}: ${first}`);
    }
    await expect(noRestartsNoOom(await release.settleRecording(), pods)).toHold();
  },
);

requirement(
  'G-36',
  'ends a session with 0 within 5 s of the end of its input',
  { release: 'none' },
  async ({ lab, kube, observe }) => {
    // Of its own: sessions share the tenth of a core that their pod has, and other checks hold some in the shared one.
    const release = await lab.install();
    const session = await openSession(lab, await anyAgentPod(kube, release.namespace));
    await session.initialize();
    session.endInput();
    const { exitCode } = await session.ended('at the end of its input', EXIT_MS);
    expect(exitCode, 'exit code at the end of input').toBe(0);
    observe('exit code 0');
  },
);

requirement(
  'G-36',
  'leaves no process behind, neither by the end of input nor by a client that is gone',
  { release: 'none', needs: ['node-access'] },
  async ({ lab, kube, cluster, observe }) => {
    // Of its own: other checks hold sessions in the shared one.
    const release = await lab.install();
    const pod = await anyAgentPod(kube, release.namespace);
    await firstProgramOf(cluster, pod);
    const idle = await processesOf(cluster, pod);
    const ending = await openSession(lab, pod);
    await ending.initialize();
    expect((await processesOf(cluster, pod)).length, 'processes during a session').toBeGreaterThan(
      idle.length,
    );
    ending.endInput();
    // How soon is not asked here.
    await ending.ended('at the end of its input', LEFT_MS);
    await onlyIdle(cluster, pod, idle, 'after a session has ended', LEFT_MS);
    const dropped = await openSession(lab, pod);
    await dropped.initialize();
    dropped.drop();
    await onlyIdle(cluster, pod, idle, 'after the client of a session is gone', LEFT_MS);
    observe(`idle, and after both sessions again: ${idle.map(({ command }) => command).join(', ')}`);
  },
);

requirement(
  ['G-39', 'G-20'],
  'holds several sessions at once, each of which gets its own answers, within its memory',
  { release: 'none', needs: ['node-access'] },
  async ({ lab, kube, cluster, observe }) => {
    const release = await lab.install();
    const pod = await anyAgentPod(kube, release.namespace);
    const cgroup = await cgroupOf(cluster.nodes, pod, AGENT_CONTAINER);
    const idle = await cgroup.memory();
    const talks = await Promise.allSettled(
      Array.from({ length: SESSIONS }, async (_, index) => {
        const session = await openSession(lab, pod);
        await session.initialize();
        return { session, index };
      }),
    );
    const sessions = talks.flatMap((talk) => (talk.status === 'fulfilled' ? [talk.value] : []));
    // All questions before the first answer is waited for.
    const asked = sessions.map(({ session, index }) => ({
      session,
      id: session.ask('tools/call', { name: INVENTORY_TOOL, arguments: {} }, `session-${index}`),
    }));
    const answers = await Promise.allSettled(
      asked.map(({ session, id }) => session.answerTo(id, 'tools/call')),
    );
    // Before anything else: a session that was killed for its memory says less about the reason.
    const after = await memoryAfter(cgroup, release, pod);
    const about = { pod: pod.metadata.name, container: AGENT_CONTAINER };
    const kills = after ? [{ ...about, oomKills: after.oomKills }] : [];
    await expect(noRestartsNoOom(await release.settleRecording(), await release.pods(), kills)).toHold();
    for (const outcome of [...talks, ...answers]) if (outcome.status === 'rejected') throw outcome.reason;
    const { limitBytes, usageBytes, maxUsageBytes, oomKills } = after ?? (await cgroup.memory());
    for (const { session, id } of asked) {
      const strangers = session.transcript().answers.filter((a) => typeof a.id === 'string' && a.id !== id);
      expect(strangers, `answers in ${String(id)} to other sessions`).toEqual([]);
    }
    const peak = Math.max(usageBytes, maxUsageBytes ?? 0);
    expect(limitBytes, 'memory limit of the cgroup').toBeTypeOf('number');
    expect(peak, `peak of memory with ${SESSIONS} sessions`).toBeLessThan(limitBytes ?? 0);
    observe(
      `${SESSIONS} sessions: idle ${formatBytes(idle.usageBytes)}, peak ${formatBytes(peak)} of ${formatBytes(limitBytes ?? 0)}, ${oomKills} OOM kills`,
    );
  },
);

interface Process {
  pid: number;
  command: string;
}

/** What runs in the agent's container, its first process first. */
async function processesOf(cluster: AttachedCluster, pod: Pod): Promise<Process[]> {
  const pids = await (await cgroupOf(cluster.nodes, pod, AGENT_CONTAINER)).pids();
  const commands = await Promise.all(
    pids.map(async (pid) => ({ pid, command: await commandOf(cluster, pod, pid) })),
  );
  // One that has ended meanwhile has no command any more.
  return commands.filter(({ command }) => command !== '');
}

/** The runtime's own first process, which becomes the container's program: containers count as running a moment before. */
const STARTING = 'runc init';

function firstProgramOf(cluster: AttachedCluster, pod: Pod): Promise<string> {
  return waitFor({
    what: `the program of ${pod.metadata.name} to take the place of the runtime's`,
    timeoutMs: START_MS,
    look: async () => {
      const [pid = 0] = await (await cgroupOf(cluster.nodes, pod, AGENT_CONTAINER)).pids();
      const command = await commandOf(cluster, pod, pid);
      if (command === '' || command.endsWith(STARTING)) return { done: false, seen: command || 'nothing' };
      return { done: true, value: command };
    },
  });
}

/**
 * What the container's memory came to; `undefined` when its cgroup went with the container, once the API knows of that. Where the kernel kills
 * containers as a whole (cgroup v2), a single process that takes too much is the end of one.
 */
async function memoryAfter(
  cgroup: ContainerCgroup,
  release: Release,
  pod: Pod,
): Promise<MemoryFacts | undefined> {
  try {
    return await cgroup.memory();
  } catch (error) {
    if (!(error instanceof CheckFailure && error.code === 'E_CGROUP_GONE')) throw error;
  }
  const { name, uid } = pod.metadata;
  await release.until(`the API to tell of the restart of ${AGENT_CONTAINER} in ${name}`, async () => {
    const present = (await release.pods()).find(({ metadata }) => metadata.uid === uid);
    return present === undefined || containerStatus(present, AGENT_CONTAINER).restartCount > 0;
  });
  return undefined;
}

async function commandOf({ nodes }: AttachedCluster, pod: Pod, pid: number): Promise<string> {
  const file = `/proc/${pid}/cmdline`;
  // A process that has ended has no file; anything else that keeps the command from running says nothing about it.
  const result = await nodes?.run(pod.spec.nodeName ?? '', [
    'sh',
    '-c',
    'cat "$1" 2> /dev/null || true',
    'cat',
    file,
  ]);
  return (result?.stdout ?? '').split('\0').join(' ').trim();
}

function onlyIdle(
  cluster: AttachedCluster,
  pod: Pod,
  idle: readonly Process[],
  when: string,
  timeoutMs: number,
): Promise<void> {
  return waitFor({
    what: `the container to run nothing but \`${idle.map(({ command }) => command).join(', ')}\` ${when}`,
    timeoutMs,
    look: async () => {
      const left = (await processesOf(cluster, pod)).filter(
        ({ pid }) => !idle.some((one) => one.pid === pid),
      );
      if (left.length === 0) return { done: true, value: undefined };
      return { done: false, seen: `left: ${left.map(({ command }) => command).join(', ')}` };
    },
  });
}
