/** Where the agent's pods run, and that they take no GPU from workloads there. */
import { GPU_RESOURCE } from '../../../clusters/nodes/gpu-capacity.ts';
import { GPU_NODE_LABELS, GPU_NODE_TAINTS } from '../../../clusters/topology.ts';
import { heldBy, holdsNone } from '../../../harness/observe/predicates/live/extended-resource.ts';
import { onePerNode } from '../../../harness/observe/predicates/live/one-per-node.ts';
import { nodesAllowed } from '../../../harness/observe/predicates/live/placement.ts';
import { podsScheduled } from '../../../harness/observe/waits/pod-creation.ts';
import { podReady, podUnschedulable } from '../../../harness/observe/waits/pod-start.ts';
import { toleratesOnly } from '../../../harness/observe/predicates/rendered/tolerations.ts';
import { waitFor } from '../../../harness/core/deadline.ts';
import { CheckFailure } from '../../../harness/core/errors.ts';
import type { KubeClient } from '../../../harness/kube/api/client.ts';
import { expect } from '../../../harness/run/suite/assertions.ts';
import { barePodSpec, createBarePod } from '../../../harness/run/suite/bare-pod.ts';
import { CheckSkipped } from '../../../harness/run/suite/check.ts';
import { agentIn } from '../agent.ts';
import { agentImageOf, daemonPods, daemonPodsOn } from '../agent-pods.ts';
import { gpuLimit, GPU_TOLERATION, gpuNodes } from '../gpu-nodes.ts';
import { requirement } from '../kit.ts';

/** Replicas of an ordinary Deployment: enough to reach the GPU nodes if no taint kept them off. */
const REPLICAS = 3;

requirement(
  ['G-08', 'G-33'],
  'runs once on every GPU node, and on no other node',
  async ({ release, kube }) => {
    await expect(onePerNode(await daemonPods(release), await kube.list('Node'), GPU_NODE_LABELS)).toHold();
  },
);

requirement(
  'G-33',
  'runs on GPU nodes that reject pods without the toleration',
  { needs: ['gpu-nodes'] },
  async ({ release, lab, kube, observe }) => {
    const [node] = await gpuNodes(kube);
    const nodes = await kube.list('Node');
    const tainted = nodes.filter((n) => n.spec.taints?.some(({ key }) => key === GPU_RESOURCE));
    if (!node || !tainted.some((n) => n.metadata.name === node.name))
      throw new CheckSkipped(`its GPU nodes are not tainted ${GPU_RESOURCE}`);
    const namespace = await lab.namespace();
    const image = agentImageOf(release);
    const selecting = { name: 'selects-gpu-node', namespace, image, node: node.name };
    await createBarePod(kube, selecting);
    await createDeployment(kube, { name: 'anywhere', namespace, image });
    const refusal = await podUnschedulable(kube, selecting, {
      what: `the scheduler to keep it off ${node.name}`,
    });
    // Newer schedulers do not name the taint; the selected node has only this one.
    expect(refusal).toMatch(/untolerated taint/);
    const anywhere = { namespace, labelSelector: 'app=anywhere' };
    const placed = await podsScheduled(kube, anywhere, REPLICAS);
    await expect(nodesAllowed(placed, nodes)).toHold();
    const there = placed.filter((pod) => tainted.some((n) => n.metadata.name === pod.spec.nodeName));
    expect(there, 'ordinary pods on GPU nodes').toHaveLength(0);
    // The taint that repels the others is the one that the agent tolerates.
    const [taint] = GPU_NODE_TAINTS;
    const own = await daemonPodsOn(release, node.name);
    expect(own.length, `the agent's pods on ${node.name}, tainted ${taint?.key ?? ''}`).toBeGreaterThan(0);
    observe(`a pod that selects ${node.name} stays Pending: ${refusal}`);
  },
);

requirement(
  ['G-09', 'G-38'],
  'tolerates the taint of GPU nodes with any value, and no other taint',
  { static: true },
  async ({ release }) => {
    const daemonSet = agentIn(release).object;
    await expect(toleratesOnly(daemonSet, { key: GPU_RESOURCE, effect: 'NoSchedule' })).toHold();
  },
);

requirement(
  'G-37',
  'holds no GPU: a pod that requests all GPUs of a node gets them, and the scheduler refuses one more',
  { disruptive: true, needs: ['gpu-nodes'] },
  async ({ release, lab, kube, cluster, observe }) => {
    await cluster.assertGpuCapacity?.();
    await expect(holdsNone(await daemonPods(release), GPU_RESOURCE)).toHold();
    const node = (await gpuNodes(kube)).toSorted((a, b) => b.gpus - a.gpus)[0];
    if (!node) throw new CheckFailure('E_SELECTED_NOTHING', 'there is no GPU node');
    const own = await daemonPodsOn(release, node.name);
    expect(own.length, `the agent's pods on ${node.name}`).toBe(1);
    const held = await gpusHeldOn(kube, node.name);
    if (held >= node.gpus) throw new CheckSkipped(`all ${node.gpus} GPUs of ${node.name} are in use`);

    const namespace = await lab.namespace();
    const requesting = {
      namespace,
      image: agentImageOf(release),
      node: node.name,
      tolerations: [GPU_TOLERATION],
    };
    const free = node.gpus - held;
    const all = { ...requesting, name: 'all-gpus', limits: gpuLimit(free) };
    await createBarePod(kube, all);
    await podReady(kube, all, { what: `a pod with all ${free} free GPUs of ${node.name} to run` });
    const more = { ...requesting, name: 'one-too-many', limits: gpuLimit(1) };
    await createBarePod(kube, more);
    const refusal = await podUnschedulable(kube, more, {
      what: `the scheduler to refuse one GPU more on ${node.name}`,
    });
    expect(refusal).toContain(`Insufficient ${GPU_RESOURCE}`);
    observe(`${free} of ${node.gpus} GPUs of ${node.name} were allocated to one pod; one more: ${refusal}`);
  },
);

/** GPUs that other pods hold, on a cluster in use. Waits for pods that are being deleted, because they release theirs. */
function gpusHeldOn(kube: KubeClient, node: string): Promise<number> {
  return waitFor({
    what: `terminating pods on ${node} to release their GPUs`,
    timeoutMs: 90_000,
    look: async () => {
      const pods = await kube.list('Pod', { fieldSelector: `spec.nodeName=${node}` });
      const holding = pods.filter((pod) => heldBy(pod, GPU_RESOURCE) > 0);
      const leaving = holding.filter(({ metadata }) => metadata.deletionTimestamp !== undefined);
      if (leaving.length > 0)
        return { done: false, seen: leaving.map(({ metadata }) => metadata.name).join(', ') };
      return { done: true, value: holding.reduce((sum, pod) => sum + heldBy(pod, GPU_RESOURCE), 0) };
    },
  });
}

async function createDeployment(
  kube: KubeClient,
  { name, namespace, image }: { name: string; namespace: string; image: string },
): Promise<void> {
  const labels = { app: name };
  await kube.create({
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name, namespace },
    spec: {
      replicas: REPLICAS,
      selector: { matchLabels: labels },
      template: { metadata: { labels }, spec: barePodSpec(name, { image }) },
    },
  });
}
