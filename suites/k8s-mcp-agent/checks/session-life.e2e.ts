/** What sessions use and leave behind, observed from the node, which works with any image. */
import { cgroupOf } from '../../../clusters/nodes/container-cgroup.ts';
import type { ContainerCgroup, MemoryFacts } from '../../../clusters/nodes/container-cgroup.ts';
import type { AttachedCluster } from '../../../harness/run/suite/attached-cluster.ts';
import { noRestartsNoOom } from '../../../harness/observe/predicates/live/restarts.ts';
import { containerRestarted } from '../../../harness/observe/waits/containers.ts';
import { waitFor, WaitTimeout } from '../../../harness/core/deadline.ts';
import { CheckFailure, DoesNotFit, InfrastructureError } from '../../../harness/core/errors.ts';
import { formatBytes } from '../../../harness/kube/api/quantity.ts';
import type { Pod } from '../../../harness/kube/api/types.ts';
import { expect } from '../../../harness/run/suite/assertions.ts';
import type { Release } from '../../../harness/run/suite/release.ts';
import { agentContainerOf, agentPods } from '../agent.ts';
import { anyAgentPod } from '../agent-pods.ts';
import { INVENTORY_TOOL } from '../sessions/inventory.ts';
import { requirement } from '../kit.ts';
import { openSession, type McpSession, type SessionHost } from '../sessions/mcp-session.ts';
import { endedPromptly } from '../sessions/prompt-end.ts';

/** The limit in the requirement for the end of a session. */
const EXIT_MS = 5000;
/** For the node, and then the agent, to notice that the client is gone, or the end of the input. */
const LEFT_MS = 60_000;
const START_MS = 30_000;
const SESSIONS = 4;

requirement(
  'G-10',
  'idles as `sleep infinity`, and never restarts',
  { needs: ['node-access'] },
  async ({ release, cluster, observe }) => {
    const pods = await agentPods(release);
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
  'ends a session with exit code 0 within 5 s of the end of its input',
  { release: 'none' },
  async ({ lab, observe }) => {
    // Its own release: sessions share a tenth of a core per pod, and other checks have sessions in the shared release.
    const release = await lab.install();
    const pod = await anyAgentPod(release);
    const session = await openSession(lab, pod);
    await session.initialize();
    const control = await controlIn(lab, pod);
    session.endInput();
    control?.endInput();
    const { exitCode } = await session.ended('at the end of its input', LEFT_MS);
    expect(exitCode, 'exit code at the end of input').toBe(0);
    if (!control) {
      throw new DoesNotFit(
        `exit code 0, but the image has no \`cat\` with which to compare the time until its end`,
      );
    }
    await control.ended('at the end of its input', LEFT_MS).catch(controlFailed);
    await expect(endedPromptly(session, control, EXIT_MS)).toHold();
    observe('exit code 0');
  },
);

requirement(
  'G-36',
  'leaves no process behind at the end of input or when the client is gone',
  { release: 'none', needs: ['node-access'] },
  async ({ lab, cluster, observe }) => {
    // Its own release: other checks have sessions in the shared one.
    const release = await lab.install();
    const pod = await anyAgentPod(release);
    await firstProgramOf(cluster, pod);
    const idle = await processesOf(cluster, pod);
    const ending = await openSession(lab, pod);
    await ending.initialize();
    expect((await processesOf(cluster, pod)).length, 'processes during a session').toBeGreaterThan(
      idle.length,
    );
    ending.endInput();
    // The time does not matter here.
    await ending.ended('at the end of its input', LEFT_MS);
    await onlyIdle(cluster, pod, idle, 'after a session has ended', LEFT_MS);
    const dropped = await openSession(lab, pod);
    await dropped.initialize();
    dropped.drop();
    await onlyIdle(cluster, pod, idle, 'after the client of a session is gone', LEFT_MS);
    observe(`processes when idle, and after both sessions: ${idle.map(({ command }) => command).join(', ')}`);
  },
);

requirement(
  ['G-39', 'G-20'],
  'serves several sessions at once within its memory limit, each with its own answers',
  { release: 'none', needs: ['node-access'] },
  async ({ lab, cluster, observe }) => {
    const release = await lab.install();
    const pod = await anyAgentPod(release);
    const cgroup = await cgroupOf(cluster.nodes, pod, agentContainerOf(pod.spec, pod.metadata.name).name);
    const idle = await cgroup.memory();
    const openings = await Promise.allSettled(
      Array.from({ length: SESSIONS }, async (_, index) => {
        const session = await openSession(lab, pod);
        await session.initialize();
        return { session, index };
      }),
    );
    const sessions = openings.flatMap((opening) => (opening.status === 'fulfilled' ? [opening.value] : []));
    // All requests are sent before the first answer is awaited.
    const asked = sessions.map(({ session, index }) => ({
      session,
      id: session.ask('tools/call', { name: INVENTORY_TOOL, arguments: {} }, `session-${index}`),
    }));
    const answers = await Promise.allSettled(
      asked.map(({ session, id }) => session.answerTo(id, 'tools/call')),
    );
    // First, because a session that was OOM-killed does not report the reason.
    const after = await memoryAfter(cgroup, release, pod);
    const about = { pod: pod.metadata.name, container: agentContainerOf(pod.spec, pod.metadata.name).name };
    const kills = after ? [{ ...about, oomKills: after.oomKills }] : [];
    await expect(noRestartsNoOom(await release.settleRecording(), await agentPods(release), kills)).toHold();
    for (const outcome of [...openings, ...answers]) if (outcome.status === 'rejected') throw outcome.reason;
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

/**
 * A `cat` that already runs in the agent's container. It has nothing to do at the end of its input, so what the connection, the node and a
 * tenth of a core need is the same for both.
 *
 * @returns `undefined` when the image has no `cat`
 */
async function controlIn(lab: SessionHost, pod: Pod): Promise<McpSession | undefined> {
  const control = await openSession(lab, pod, { command: ['cat'] });
  control.send('{"jsonrpc":"2.0","id":null,"result":{}}');
  try {
    await control.answerTo(null, 'the same line');
    return control;
  } catch (error) {
    if (error instanceof WaitTimeout && error.hopeless !== undefined) return undefined;
    return controlFailed(error);
  }
}

/** Without its answer, nothing is known about the agent. */
function controlFailed(error: unknown): never {
  if (!(error instanceof WaitTimeout)) throw error;
  throw new InfrastructureError('E_CONTROL', `\`cat\` beside the agent did not react: ${error.message}`, {
    cause: error,
    hint: 'Run again when the machine does nothing else.',
  });
}

interface Process {
  pid: number;
  command: string;
}

/** The processes in the agent's container, the first one first. */
async function processesOf(cluster: AttachedCluster, pod: Pod): Promise<Process[]> {
  const pids = await (
    await cgroupOf(cluster.nodes, pod, agentContainerOf(pod.spec, pod.metadata.name).name)
  ).pids();
  const commands = await Promise.all(
    pids.map(async (pid) => ({ pid, command: await commandOf(cluster, pod, pid) })),
  );
  // A process that has ended meanwhile has no command.
  return commands.filter(({ command }) => command !== '');
}

/** The runtime's first process, which becomes the container's program a moment after the container counts as running. */
const STARTING = 'runc init';

function firstProgramOf(cluster: AttachedCluster, pod: Pod): Promise<string> {
  return waitFor({
    what: `the program of ${pod.metadata.name} to start`,
    timeoutMs: START_MS,
    look: async () => {
      const [pid = 0] = await (
        await cgroupOf(cluster.nodes, pod, agentContainerOf(pod.spec, pod.metadata.name).name)
      ).pids();
      const command = await commandOf(cluster, pod, pid);
      if (command === '' || command.endsWith(STARTING)) return { done: false, seen: command || 'nothing' };
      return { done: true, value: command };
    },
  });
}

/**
 * The container's memory use; `undefined` when its cgroup is gone with the container, once the API reports the restart. With cgroup v2
 * the kernel kills a container as a whole when one process exceeds the limit.
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
  await containerRestarted(release.kube, pod, agentContainerOf(pod.spec, pod.metadata.name).name, {
    timeoutMs: 60_000,
  });
  return undefined;
}

async function commandOf({ nodes }: AttachedCluster, pod: Pod, pid: number): Promise<string> {
  const file = `/proc/${pid}/cmdline`;
  // A process that has ended has no file.
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
