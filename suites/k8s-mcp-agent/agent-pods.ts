/** The pods of the release's DaemonSet, by owner: where they run, and waits for them to come and go. */
import { waitFor } from '../../harness/core/deadline.ts';
import { CheckFailure, InterruptedError, messageOf } from '../../harness/core/errors.ts';
import { isReady } from '../../harness/observe/waits/pod-start.ts';
import type { Pod } from '../../harness/kube/api/types.ts';
import { isOwnedBy } from '../../harness/kube/api/workload-pods.ts';
import type { Release } from '../../harness/run/suite/release.ts';
import { agentContainerOf, agentIn, agentOf, agentPods } from './agent.ts';
import { gpuNodes } from './gpu-nodes.ts';

/** All its pods, including those being deleted; may be empty. */
export async function daemonPods(release: Release): Promise<Pod[]> {
  const agent = agentOf(release);
  const daemonSet = await agent.read();
  const pods = await release.kube.list('Pod', { namespace: agent.namespace });
  return pods.filter((pod) => isOwnedBy(pod, daemonSet));
}

export async function daemonPodsOn(release: Release, node: string): Promise<Pod[]> {
  return (await daemonPods(release)).filter((pod) => pod.spec.nodeName === node);
}

/** For the controllers to delete a pod. */
const DELETE_MS = 60_000;
/** For a deleted pod to be gone: its grace period, and time for its node. */
const LEAVE_MS = 90_000;
/** For a node to start a pod. */
const START_MS = 60_000;

/** Waits until all agent pods on the node are being deleted, and then until they are gone; `why` completes the sentence. */
export async function agentGoneFrom(release: Release, node: string, { why }: { why: string }): Promise<void> {
  const until = (what: string, timeoutMs: number, stays: (pod: Pod) => boolean): Promise<void> =>
    waitFor({
      what: `the agent to ${what} ${node}, ${why}`,
      timeoutMs,
      look: async () => {
        const staying = (await daemonPodsOn(release, node)).filter(stays);
        if (staying.length === 0) return { done: true, value: undefined };
        return { done: false, seen: staying.map(state).join(', ') };
      },
    });
  await until('leave', DELETE_MS, ({ metadata }) => metadata.deletionTimestamp === undefined);
  await until('be gone from', LEAVE_MS, () => true);
}

/**
 * Waits until a pod is Ready on the node and the agent runs in it, started as its users start it. Ready alone proves little: without
 * a readiness probe, a container that exits at once is Ready for a moment.
 *
 * @param options.timeoutMs default 60 000, and 90 000 more when a pod is to be replaced
 * @param options.not uid of a pod that is to be replaced, and does not count
 * @param options.when what happened to the node, for the message
 * @returns the pod, and the version that the agent prints
 * @throws WaitTimeout with the pods on the node
 */
export function agentWorksOn(
  release: Release,
  node: string,
  options: { timeoutMs?: number; not?: string | undefined; when?: string } = {},
): Promise<{ pod: Pod; version: string }> {
  return waitFor({
    what: ['an agent that works on', node, options.when ?? ''].join(' ').trim(),
    timeoutMs: options.timeoutMs ?? START_MS + (options.not === undefined ? 0 : LEAVE_MS),
    look: async () => {
      const pods = await daemonPodsOn(release, node);
      const pod = pods.find((candidate) => candidate.metadata.uid !== options.not && isReady(candidate));
      if (!pod) return { done: false, seen: pods.length === 0 ? 'no pod there' : pods.map(state).join(', ') };
      try {
        return { done: true, value: { pod, version: await agentVersion(release, pod) } };
      } catch (error) {
        if (error instanceof InterruptedError) throw error;
        return { done: false, seen: messageOf(error) };
      }
    },
  });
}

async function agentVersion(release: Release, pod: Pod): Promise<string> {
  const { name } = agentContainerOf(pod.spec, pod.metadata.name);
  const result = await release.exec(pod, ['/agent', '--version'], name);
  const said = (result.stderr || result.stdout).trim();
  if (result.exitCode === 0) return said;
  throw new CheckFailure('E_EXEC', `\`/agent --version\` exited with ${result.exitCode}: ${said}`);
}

/** The agent's image: it is on the nodes, and has `sleep`. */
export function agentImageOf(release: Release): string {
  return agentIn(release).container.image;
}

function state({ metadata, status }: Pod): string {
  if (metadata.deletionTimestamp !== undefined) return `${metadata.name} is terminating`;
  const waiting = status?.containerStatuses?.flatMap((c) => c.state?.waiting?.reason ?? []) ?? [];
  return `${metadata.name} is ${[status?.phase ?? 'new', ...waiting].join(', ')}`;
}

/**
 * The agent's pod on a node.
 *
 * @throws CheckFailure `E_SELECTED_NOTHING` when none is there
 */
export async function agentPodOn(release: Release, node: string): Promise<Pod> {
  const [pod] = (await agentPods(release)).filter(({ spec }) => spec.nodeName === node);
  if (pod) return pod;
  throw new CheckFailure('E_SELECTED_NOTHING', `no pod of ${agentIn(release).workload.title} is on ${node}`);
}

/** The agent's pod on the first GPU node. */
export async function anyAgentPod(release: Release): Promise<Pod> {
  const [node] = await gpuNodes(release.kube);
  return agentPodOn(release, node?.name ?? '');
}
