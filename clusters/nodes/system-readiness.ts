/** Waits until a cluster is usable, which is later than the end of `kind create cluster`. */
import type { Clock } from '../../harness/core/deadline.ts';
import { seconds, waitFor, WaitTimeout } from '../../harness/core/deadline.ts';
import { InfrastructureError, messageOf } from '../../harness/core/errors.ts';
import { hasCondition } from '../../harness/kube/api/objects.ts';
import type { KubeClient } from '../../harness/kube/api/client.ts';
import { ApiError } from '../../harness/kube/api/errors.ts';
import type { ContainerStatus, Node, Pod, Workload } from '../../harness/kube/api/types.ts';
import { rolloutGap } from '../../harness/observe/predicates/live/rollout-gap.ts';

/** Taints that Kubernetes sets on a node that is not Ready (Kubernetes documentation, "Taint based Evictions"). */
const NOT_READY = new Set(['node.kubernetes.io/not-ready', 'node.kubernetes.io/unreachable']);

export interface ReadinessOptions {
  /** Default 300 000 ms. */
  timeoutMs?: number | undefined;
  /** Default: all namespaces. */
  namespaces?: readonly string[] | undefined;
  clock?: Clock | undefined;
  signal?: AbortSignal | undefined;
  onProgress?: ((text: string) => void) | undefined;
}

/**
 * Waits until all `nodeCount` nodes are Ready, every DaemonSet has all its pods, every Deployment has all its pods and none of an earlier
 * template, and every pod is Ready or has succeeded. Otherwise checks would blame the chart for a network agent or DNS server that starts
 * late.
 *
 * @throws InfrastructureError `E_CLUSTER_NOT_READY` with what was still missing
 */
export async function waitForSystem(
  kube: KubeClient,
  nodeCount: number,
  options: ReadinessOptions = {},
): Promise<void> {
  const timeoutMs = options.timeoutMs ?? 300_000;
  let announced = '';
  try {
    await waitFor({
      what: 'all system pods to be ready',
      timeoutMs,
      intervalMs: 500,
      signal: options.signal,
      ...(options.clock && { clock: options.clock }),
      look: async () => {
        const missing = await missingParts(kube, nodeCount, options.namespaces);
        if (missing.length === 0) return { done: true, value: undefined };
        const text = shorten(missing);
        if (text !== announced) options.onProgress?.(text);
        announced = text;
        return { done: false, seen: missing.join('; ') };
      },
    });
  } catch (error) {
    if (!(error instanceof WaitTimeout)) throw error;
    throw new InfrastructureError(
      'E_CLUSTER_NOT_READY',
      `the cluster was not ready after ${seconds(timeoutMs)}: ${error.history.at(-1)?.seen ?? 'nothing seen'}`,
      {
        hint: 'inspect the pods named above: kubectl -n <namespace> describe pod <name>',
        details: { history: error.history },
      },
    );
  }
}

/** What the cluster still lacks, one sentence each. An API error also counts as not ready. */
async function missingParts(
  kube: KubeClient,
  nodeCount: number,
  namespaces: readonly string[] | undefined,
): Promise<string[]> {
  try {
    const [nodes, daemonSets, deployments, pods] = await Promise.all([
      kube.list('Node'),
      kube.list('DaemonSet'),
      kube.list('Deployment'),
      kube.list('Pod'),
    ]);
    const ours = <T extends { metadata: { namespace?: string } }>(objects: T[]): T[] =>
      objects.filter((o) => namespaces === undefined || namespaces.includes(o.metadata.namespace ?? ''));
    const systemPods = ours(pods).filter((pod) => pod.metadata.deletionTimestamp === undefined);
    return [
      ...(nodes.length < nodeCount ? [`${nodes.length} of ${nodeCount} nodes registered`] : []),
      ...nodes.filter((node) => !nodeReady(node)).map(describeNode),
      ...(systemPods.length === 0 ? ['no system pod exists yet'] : []),
      ...ours(daemonSets).flatMap((set) =>
        incomplete(set, set.status?.desiredNumberScheduled, set.status?.numberReady),
      ),
      ...ours(deployments).flatMap((deployment) => {
        const gap = rolloutGap(deployment, []);
        return gap === undefined ? [] : [`Deployment ${deployment.metadata.name}: ${gap}`];
      }),
      ...systemPods.filter((pod) => !podReady(pod)).map(describePod),
    ];
  } catch (error) {
    if (error instanceof ApiError) return [`the API server answered: ${messageOf(error)}`];
    throw error;
  }
}

/** Whether the node is Ready and schedulable: the not-ready taint is removed only after the condition turns True. */
export function nodeReady(node: Node): boolean {
  return hasCondition(node, 'Ready') && notReadyTaint(node) === undefined;
}

function notReadyTaint({ spec }: Node): string | undefined {
  return spec.taints?.find(({ key }) => NOT_READY.has(key))?.key;
}

/** When the kubelet last reported the Ready condition. */
export function heartbeatOf(node: Node): string | undefined {
  return node.status?.conditions?.find((condition) => condition.type === 'Ready')?.lastHeartbeatTime;
}

function describeNode(node: Node): string {
  const condition = node.status?.conditions?.find((c) => c.type === 'Ready');
  const why =
    condition?.status === 'True' ? `still tainted ${notReadyTaint(node) ?? ''}` : condition?.message;
  return `node ${node.metadata.name} is not Ready${why === undefined ? '' : ` (${why})`}`;
}

function incomplete(workload: Workload, desired: number | undefined, ready: number | undefined): string[] {
  const observed = (workload.status?.observedGeneration ?? 0) >= (workload.metadata.generation ?? 0);
  if (observed && desired !== undefined && (ready ?? 0) >= desired) return [];
  return [`DaemonSet ${workload.metadata.name} has ${ready ?? 0} of ${desired ?? '?'} pods ready`];
}

function podReady(pod: Pod): boolean {
  if (pod.status?.phase === 'Succeeded') return true;
  return hasCondition(pod, 'Ready');
}

function describePod(pod: Pod): string {
  const statuses = [...(pod.status?.initContainerStatuses ?? []), ...(pod.status?.containerStatuses ?? [])];
  const reasons = statuses.flatMap((status) => containerReason(status));
  const scheduled = pod.status?.conditions?.find((c) => c.type === 'PodScheduled' && c.status === 'False');
  const why = [...reasons, ...(scheduled?.message === undefined ? [] : [scheduled.message])].join(', ');
  const { namespace = '', name } = pod.metadata;
  return `pod ${namespace}/${name} is ${pod.status?.phase ?? 'unknown'}, not ready${why === '' ? '' : ` (${why})`}`;
}

function containerReason(status: ContainerStatus): string[] {
  const { waiting, terminated } = status.state ?? {};
  const restarts = status.restartCount === 0 ? '' : ` after ${status.restartCount} restarts`;
  if (waiting?.reason !== undefined) return [`${status.name}: ${waiting.reason}${restarts}`];
  if (terminated !== undefined && terminated.exitCode !== 0) {
    return [`${status.name}: exited with ${terminated.exitCode}${restarts}`];
  }
  return [];
}

/** For progress lines: what is missing, without reasons. */
function shorten(missing: readonly string[]): string {
  const [first = ''] = missing;
  const text = first.replace(/ \(.*\)$/, '');
  return missing.length === 1 ? text : `${text} (and ${missing.length - 1} more)`;
}
