/** Nodes that join, leave, are tainted, restarted or get a device plugin. Each check is exclusive and restores its node. */
import { GPU_RESOURCE } from '../../../clusters/nodes/gpu-capacity.ts';
import { runtimeHandlerOf } from '../../../clusters/nodes/runtime-handler-of.ts';
import { GPU_NODE_LABELS } from '../../../clusters/topology.ts';
import { startDevicePlugin } from '../../../fixtures/services/gpu-device-plugin.ts';
import { daemonSetDesired } from '../../../harness/observe/waits/daemon-set.ts';
import { onePerNode } from '../../../harness/observe/predicates/live/one-per-node.ts';
import { podReady, podUnschedulable } from '../../../harness/observe/waits/pod-start.ts';
import { waitFor, WaitTimeout } from '../../../harness/core/deadline.ts';
import { CheckFailure } from '../../../harness/core/errors.ts';
import type { KubeClient } from '../../../harness/kube/api/client.ts';
import type { Node } from '../../../harness/kube/api/types.ts';
import { podSpecOf } from '../../../harness/kube/manifests/objects.ts';
import { expect } from '../../../harness/run/suite/assertions.ts';
import { createBarePod, startBarePod, type BarePod } from '../../../harness/run/suite/bare-pod.ts';
import { CheckSkipped } from '../../../harness/run/suite/check.ts';
import { agentIn, agentOf } from '../agent.ts';
import { agentGoneFrom, agentImageOf, agentWorksOn, daemonPods } from '../agent-pods.ts';
import { gpuLimit, GPU_TOLERATION, gpuNodes, type GpuNodeFacts } from '../gpu-nodes.ts';
import { requirement } from '../kit.ts';
import { changeableNode } from '../node-change.ts';
import { startedInOrder } from '../started-in-order.ts';

/** From the label to a pod in which a session can begin. The document names no limit: what counts is what the label leads to. */
const JOIN_MS = 180_000;
/** For the scheduler to learn of a taint. */
const TAINT_MS = 30_000;

const [GPU_LABEL = ''] = Object.keys(GPU_NODE_LABELS);
const EXCLUSIVE = {
  exclusive: true,
  disruptive: true,
  needs: ['node-access', 'gpu-nodes'],
  timeoutMs: 480_000,
};
const FOREIGN_TAINT = { key: 'kindproof.dev/other', value: 'true', effect: 'NoSchedule' };
const EVICTING_TAINT = { key: GPU_RESOURCE, value: 'maintenance', effect: 'NoExecute' };

requirement(
  ['G-40', 'G-08', 'G-09'],
  'starts and works on a node that becomes a GPU node, and ends when the node no longer is one',
  EXCLUSIVE,
  async ({ release, lab, kube, observe }) => {
    const node = changeableNode(lab, kube, await ordinaryNode(kube));
    // The taint's value may differ from that of the other nodes.
    await node.taint({ key: GPU_RESOURCE, value: 'kindproof', effect: 'NoSchedule' });
    const { seq } = (await release.settleRecording()).changes.at(-1) ?? { seq: -1 };
    await node.label(GPU_LABEL, 'true');
    const { pod, version } = await agentWorksOn(release, node.name, { timeoutMs: JOIN_MS });
    await expect(startedInOrder(await release.settleRecording(), pod, seq)).toHold();
    await expect(onePerNode(await daemonPods(release), await kube.list('Node'), GPU_NODE_LABELS)).toHold();
    observe(`${node.name} joined: ${pod.metadata.name} ready and "${version}"`);

    // Any value other than "true" counts as none.
    await node.label(GPU_LABEL, 'false');
    await agentGoneFrom(release, node.name, { why: `labelled ${GPU_LABEL}=false` });
    await expect(onePerNode(await daemonPods(release), await kube.list('Node'), GPU_NODE_LABELS)).toHold();
    observe(`${node.name} left, and its pod ended`);
  },
);

requirement(
  ['G-38', 'G-09'],
  'stays off nodes with other taints, and is evicted by NoExecute, which another pod tolerates',
  EXCLUSIVE,
  async ({ release, lab, kube, observe }) => {
    const all = await gpuNodes(kube);
    const { name } = fewestGpus(all);
    const node = changeableNode(lab, kube, await nodeNamed(kube, name));
    const { pod: before } = await agentWorksOn(release, name);
    const tolerations = podSpecOf(agentIn(release).object)?.tolerations ?? [];
    const other = { namespace: await lab.namespace(), image: agentImageOf(release), node: name };
    const listed = { ...other, name: 'listed', tolerations: [...tolerations, tolerationOf(EVICTING_TAINT)] };
    await startBarePod(kube, listed, { what: `a pod that tolerates NoExecute to run on ${name}` });

    await node.taint(FOREIGN_TAINT);
    await schedulerKeepsOff(kube, { ...other, tolerations: [GPU_TOLERATION] });
    const why = `since ${name} is tainted ${FOREIGN_TAINT.key}:${FOREIGN_TAINT.effect}`;
    const likeAgent = { ...other, name: 'tolerates-what-the-agent-does', tolerations };
    await createBarePod(kube, likeAgent);
    const refusal = await podUnschedulable(kube, likeAgent, {
      what: `the scheduler to keep it off ${name}, ${why}`,
    });
    expect(refusal).toMatch(/untolerated taint/);
    // A running pod stays; only its end makes the controller process the taint.
    await kube.delete('Pod', { name: before.metadata.name, namespace: agentOf(release).namespace });
    await agentGoneFrom(release, name, { why: 'where it was deleted' });
    await daemonSetDesired(kube, agentOf(release), all.length - 1, {
      what: `the DaemonSet to want ${all.length - 1} pods, ${why}`,
    });
    observe(`with ${FOREIGN_TAINT.key}:${FOREIGN_TAINT.effect} it does not come back: ${refusal}`);

    await node.taint();
    const { pod: again } = await agentWorksOn(release, name);
    await node.taint(EVICTING_TAINT);
    const evicted = `tainted ${EVICTING_TAINT.key}:${EVICTING_TAINT.effect}`;
    await agentGoneFrom(release, name, { why: evicted });
    const stayed = await podReady(kube, listed, {
      what: `the pod that tolerates ${evicted} to stay on ${name}`,
    });
    expect(stayed.metadata.deletionTimestamp, 'deletion of the pod that tolerates it').toBeUndefined();
    observe(`${again.metadata.name} was evicted (${evicted}); a pod that tolerates it stayed`);

    await node.taint();
    await agentWorksOn(release, name);
  },
);

requirement(
  'G-32',
  'runs beside a device plugin, which can still allocate every GPU',
  EXCLUSIVE,
  async ({ release, lab, kube, cluster, observe }) => {
    const node = fewestGpus(await gpuNodes(kube));
    const namespace = await lab.namespace();
    const defer = lab.defer.bind(lab);
    const plugin = await startDevicePlugin({ cluster, namespace, nodes: [node], defer });
    // A new pod starts while the plugin already runs.
    const { pod: before } = await agentWorksOn(release, node.name);
    const { name, uid } = before.metadata;
    await kube.delete('Pod', { name, namespace: agentOf(release).namespace });
    const { version } = await agentWorksOn(release, node.name, { not: uid });

    const image = agentImageOf(release);
    const computing = { name: 'computes', namespace, image, node: node.name };
    const workload = { ...computing, limits: gpuLimit(node.gpus), tolerations: [GPU_TOLERATION] };
    await createBarePod(kube, workload);
    await podReady(kube, workload, { what: `a pod with all ${node.gpus} GPUs of ${node.name} to run` });
    const { stdout } = await kube.exec({ namespace, pod: workload.name, command: ['env'] });
    const allocated = /^NVIDIA_VISIBLE_DEVICES=(.*)$/m.exec(stdout)?.[1]?.trim() ?? '';
    expect(allocated.split(',').toSorted(), 'NVIDIA_VISIBLE_DEVICES').toEqual(
      plugin.deviceIds(node.name).toSorted(),
    );
    observe(`beside the plugin on ${node.name}: agent "${version}"; a workload was allocated ${allocated}`);
    await kube.delete('Pod', { name: workload.name, namespace });
    await plugin.stop();
  },
);

requirement(
  'G-41',
  'returns to its node with its RuntimeClass when its pod is deleted and when the node restarts',
  EXCLUSIVE,
  async ({ release, kube, cluster, observe }) => {
    if (!cluster.restartNode) throw new CheckSkipped('the nodes of this cluster cannot be restarted');
    const node = fewestGpus(await gpuNodes(kube));
    const { pod: first } = await agentWorksOn(release, node.name);
    await kube.delete('Pod', { name: first.metadata.name, namespace: agentOf(release).namespace });
    const { pod: second } = await agentWorksOn(release, node.name, { not: first.metadata.uid });
    const asked = podSpecOf(agentIn(release).object)?.runtimeClassName;
    expect(second.spec.runtimeClassName, 'runtimeClassName of the new pod').toBe(asked);
    observe(`${first.metadata.name} was deleted, ${second.metadata.name} runs on ${node.name}`);

    const repairs = await cluster.restartNode(node.name);
    const { pod: third, version } = await agentWorksOn(release, node.name, { when: 'after its restart' });
    const class_ = await kube.get('RuntimeClass', { name: asked ?? '' });
    expect(third.spec.runtimeClassName, 'runtimeClassName after the restart of the node').toBe(asked);
    const handler = await runtimeHandlerOf(cluster.nodes, third);
    expect(handler, 'runtime handler after the restart of the node').toBe(class_?.['handler']);
    repairs.push(...((await cluster.assertGpuCapacity?.()) ?? []));
    const after = (await gpuNodes(kube)).find(({ name }) => name === node.name);
    expect(after?.gpus, `GPUs of ${node.name} after its restart`).toBe(node.gpus);
    observe(`${node.name} restarted: ${third.metadata.name}, handler ${handler}, "${version}"`);
    if (repairs.length > 0) observe(`restored: ${repairs.join(', ')}`);
  },
);

/**
 * Waits until the scheduler keeps such pods off their node: it learns of nodes and pods separately, and may still place a pod by the
 * node's old state.
 */
function schedulerKeepsOff(kube: KubeClient, pod: Omit<BarePod, 'name'> & { node: string }): Promise<void> {
  let tries = 0;
  return waitFor({
    what: `the scheduler to know the taints of ${pod.node}`,
    timeoutMs: TAINT_MS,
    look: async () => {
      const stranger = { ...pod, name: `stranger-${++tries}` };
      await createBarePod(kube, stranger);
      try {
        await podUnschedulable(kube, stranger);
        return { done: true, value: undefined };
      } catch (error) {
        if (!(error instanceof WaitTimeout)) throw error;
        return { done: false, seen: error.message };
      }
    },
  });
}

/** A worker without GPUs and without taints. */
async function ordinaryNode(kube: KubeClient): Promise<Node> {
  const node = (await kube.list('Node')).find(
    (candidate) => !isClosed(candidate) && !(GPU_LABEL in (candidate.metadata.labels ?? {})),
  );
  if (node) return node;
  throw new CheckSkipped(`every node carries ${GPU_LABEL} or a taint`);
}

/** Not-ready and unreachable do not count: Kubernetes sets them on a node with a late heartbeat, and the agent tolerates them. */
function isClosed({ spec }: Node): boolean {
  const temporary = /^node\.kubernetes\.io\/(not-ready|unreachable)$/;
  return (spec.taints ?? []).some(({ key, effect }) => effect !== 'PreferNoSchedule' && !temporary.test(key));
}

async function nodeNamed(kube: KubeClient, name: string): Promise<Node> {
  const node = await kube.get('Node', { name });
  if (node) return node;
  throw new CheckFailure('E_NOT_FOUND', `node ${name} is gone`);
}

function fewestGpus(nodes: readonly GpuNodeFacts[]): GpuNodeFacts {
  const [node] = nodes.toSorted((a, b) => a.gpus - b.gpus);
  if (node) return node;
  throw new CheckFailure('E_SELECTED_NOTHING', 'there is no GPU node');
}

function tolerationOf({ key, effect }: typeof EVICTING_TAINT): {
  key: string;
  operator: string;
  effect: string;
} {
  return { key, operator: 'Exists', effect };
}
