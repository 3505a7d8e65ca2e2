/** Waits until a cluster is really usable, not only until its creation command returned. */
import type { Clock } from '../harness/core/deadline.ts';
import { seconds, waitFor, WaitTimeout } from '../harness/core/deadline.ts';
import { InfrastructureError, messageOf } from '../harness/core/errors.ts';
import { hasCondition } from '../harness/kube/api/conditions.ts';
import type { KubeClient } from '../harness/kube/api/client.ts';
import { ApiError } from '../harness/kube/api/errors.ts';
import type { ContainerStatus, Node, Pod, Workload } from '../harness/kube/api/types.ts';

/** Taints that Kubernetes sets on a node that is not Ready (Kubernetes documentation, "Taint based Evictions"). */
const NOT_READY = new Set(['node.kubernetes.io/not-ready', 'node.kubernetes.io/unreachable']);

export interface ReadinessOptions {
  /** Default 300 000 ms. */
  timeoutMs?: number | undefined;
  /** Namespaces to look at; all of them when absent. */
  namespaces?: readonly string[] | undefined;
  clock?: Clock | undefined;
  signal?: AbortSignal | undefined;
  onProgress?: ((text: string) => void) | undefined;
}

/**
 * Waits until all `nodeCount` nodes are Ready, every DaemonSet and Deployment has all its pods, and every pod is Ready (or has
 * succeeded): a network agent or DNS server that starts late would be taken for the chart's fault.
 *
 * @throws InfrastructureError `E_CLUSTER_NOT_READY` with what was missing last and how long it had been so
 */
export async function waitForSystem(
  kube: KubeClient,
  nodeCount: number,
  options: ReadinessOptions = {},
): Promise<void> {
  const timeoutMs = options.timeoutMs ?? 300_000;
  let told = '';
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
        if (text !== told) options.onProgress?.(text);
        told = text;
        return { done: false, seen: missing.join('; ') };
      },
    });
  } catch (error) {
    if (!(error instanceof WaitTimeout)) throw error;
    throw new InfrastructureError(
      'E_CLUSTER_NOT_READY',
      `the cluster was not ready after ${seconds(timeoutMs)}: ${error.history.at(-1)?.seen ?? 'nothing seen'}`,
      {
        hint: 'look at the pods named above: kubectl -n <namespace> describe pod <name>',
        details: { history: error.history },
      },
    );
  }
}

/** What keeps the cluster from being ready, one sentence each; the API server's own errors count as not ready yet. */
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
        incomplete('DaemonSet', set, set.status?.desiredNumberScheduled, set.status?.numberReady),
      ),
      ...ours(deployments).flatMap((d) =>
        incomplete('Deployment', d, d.spec.replicas ?? 1, d.status?.availableReplicas),
      ),
      ...systemPods.filter((pod) => !podReady(pod)).map(describePod),
    ];
  } catch (error) {
    if (error instanceof ApiError) return [`the API server says: ${messageOf(error)}`];
    throw error;
  }
}

/** Whether it says that it is Ready, and pods may come to it: the taint of a node that is not goes a moment later. */
export function nodeReady(node: Node): boolean {
  return hasCondition(node, 'Ready') && notReadyTaint(node) === undefined;
}

function notReadyTaint({ spec }: Node): string | undefined {
  return spec.taints?.find(({ key }) => NOT_READY.has(key))?.key;
}

/** When its kubelet last said whether it is Ready. */
export function heartbeatOf(node: Node): string | undefined {
  return node.status?.conditions?.find((condition) => condition.type === 'Ready')?.lastHeartbeatTime;
}

function describeNode(node: Node): string {
  const condition = node.status?.conditions?.find((c) => c.type === 'Ready');
  const why =
    condition?.status === 'True' ? `still tainted ${notReadyTaint(node) ?? ''}` : condition?.message;
  return `node ${node.metadata.name} is not Ready${why === undefined ? '' : ` (${why})`}`;
}

function incomplete(
  kind: string,
  workload: Workload,
  desired: number | undefined,
  ready: number | undefined,
): string[] {
  const observed = (workload.status?.observedGeneration ?? 0) >= (workload.metadata.generation ?? 0);
  if (observed && desired !== undefined && (ready ?? 0) >= desired) return [];
  return [`${kind} ${workload.metadata.name} has ${ready ?? 0} of ${desired ?? '?'} pods ready`];
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

/** Progress lines name what is missing without the reasons. */
function shorten(missing: readonly string[]): string {
  const [first = ''] = missing;
  const text = first.replace(/ \(.*\)$/, '');
  return missing.length === 1 ? text : `${text} (${missing.length - 1} more to come)`;
}
