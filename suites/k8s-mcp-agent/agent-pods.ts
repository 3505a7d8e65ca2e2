/** The pods of the release's DaemonSet, by owner: where they are, and how they come and go. */
import { waitFor } from '../../harness/core/deadline.ts';
import { CheckFailure, InterruptedError, messageOf } from '../../harness/core/errors.ts';
import { isReady } from '../../harness/observe/waits/pod-start.ts';
import type { Pod } from '../../harness/kube/api/types.ts';
import { imagesOf } from '../../harness/kube/manifests/objects.ts';
import type { Release } from '../../harness/run/suite/release.ts';
import { AGENT_CONTAINER } from './mcp-session.ts';

/** All of them, those that are being deleted included; there may be none. */
export async function daemonPods(release: Release): Promise<Pod[]> {
  const { uid } = (await release.daemonSet().read()).metadata;
  const pods = await release.kube.list('Pod', { namespace: release.namespace });
  return pods.filter(({ metadata }) => metadata.ownerReferences?.some((owner) => owner.uid === uid));
}

export async function daemonPodsOn(release: Release, node: string): Promise<Pod[]> {
  return (await daemonPods(release)).filter((pod) => pod.spec.nodeName === node);
}

/** Until the controllers have told a pod to go, or to come. */
const TOLD_MS = 60_000;
/** Grace period of a pod, and what its node needs for it. */
const LEAVE_MS = 90_000;
/** What its node needs to start a pod. */
const START_MS = 60_000;

/** Waits until all of them that are on the node have been told to go, and then until they are gone; `why` completes the sentence. */
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
  await until('leave', TOLD_MS, ({ metadata }) => metadata.deletionTimestamp === undefined);
  await until('be gone from', LEAVE_MS, () => true);
}

/**
 * Waits until the DaemonSet wants pods on that many nodes: its controller has looked at what has changed. So nothing needs to be waited for
 * that is not to happen. The controller of 1.36 does not look when a node closes itself to new pods only; it does when a pod has gone.
 */
export function wantedOnNodes(release: Release, nodes: number, { why }: { why: string }): Promise<void> {
  return waitFor({
    what: `the DaemonSet to want ${nodes} pods, ${why}`,
    timeoutMs: TOLD_MS,
    look: async () => {
      const wanted = (await release.daemonSet().read()).status?.desiredNumberScheduled ?? 0;
      return wanted === nodes
        ? { done: true, value: undefined }
        : { done: false, seen: `it wants ${wanted}` };
    },
  });
}

/**
 * Waits until a pod is ready on the node and the agent can be run in it, as its users do. Ready alone says little: without a readiness probe a
 * container is, for a moment, that ends at once.
 *
 * @param options.timeoutMs default 60 000, and the time that the pod which is to be replaced may take to go
 * @param options.not uid of a pod that does not count, because it is to be replaced
 * @param options.when what has happened to the node, for the message
 * @returns the pod, and what the agent says of its version
 * @throws WaitTimeout with what is there instead
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
  const result = await release.exec(pod, ['/agent', '--version'], AGENT_CONTAINER);
  const said = (result.stderr || result.stdout).trim();
  if (result.exitCode === 0) return said;
  throw new CheckFailure('E_EXEC', `\`/agent --version\` exited with ${result.exitCode}: ${said}`);
}

/** The agent's image: the nodes have it, and it can sleep. */
export function agentImageOf(release: Release): string {
  const [use] = imagesOf([release.rendered('DaemonSet')]);
  if (use) return use.ref;
  throw new CheckFailure('E_SELECTED_NOTHING', 'the DaemonSet has no image');
}

function state({ metadata, status }: Pod): string {
  if (metadata.deletionTimestamp !== undefined) return `${metadata.name} is terminating`;
  const waiting = status?.containerStatuses?.flatMap((c) => c.state?.waiting?.reason ?? []) ?? [];
  return `${metadata.name} is ${[status?.phase ?? 'new', ...waiting].join(', ')}`;
}
