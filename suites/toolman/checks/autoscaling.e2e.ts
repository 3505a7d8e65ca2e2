/** The autoscaler follows real load, and the pods stay within their limits. */
import { z } from 'zod';
import { busyboxImage } from '../../../fixtures/images/build.ts';
import { waitFor } from '../../../harness/core/deadline.ts';
import { CheckFailure } from '../../../harness/core/errors.ts';
import { parseQuantity } from '../../../harness/kube/api/quantity.ts';
import { conditionsOf } from '../../../harness/kube/api/conditions.ts';
import type { KubeClient } from '../../../harness/kube/api/client.ts';
import type { Pod } from '../../../harness/kube/api/types.ts';
import { deploymentScaled } from '../../../harness/observe/waits/deployment.ts';
import { everyOne } from '../../../harness/observe/predicates/select.ts';
import type { PredicateResult } from '../../../harness/observe/predicates/result.ts';
import { expect } from '../../../harness/run/suite/assertions.ts';
import { startBarePod } from '../../../harness/run/suite/bare-pod.ts';
import type { Release } from '../../../harness/run/suite/release.ts';
import { admit } from '../../any-chart/network-policies.ts';
import { requirement } from '../kit.ts';
import { serverIn, serverOf } from '../server.ts';
import { serverPods, serviceAddress } from '../server-pods.ts';

const AUTOSCALER = { apiVersion: 'autoscaling/v2', kind: 'HorizontalPodAutoscaler' };
const POD_METRICS = { apiVersion: 'metrics.k8s.io/v1beta1', kind: 'PodMetrics' };
/** metrics-server and the autoscaler's controller act every 15 s, later on a busy machine. */
const DECIDED = { timeoutMs: 180_000 };

requirement(
  ['T-26', 'T-62', 'T-44'],
  'gets more replicas under load and fewer without, and its pods stay within their limits',
  { release: 'none', disruptive: true, needs: ['metrics'], timeoutMs: 600_000, typicalMs: 130_000 },
  async ({ lab, kube, observe }) => {
    const release = await lab.install({
      set: [
        'autoscaling.enabled=true',
        'autoscaling.minReplicas=1',
        'autoscaling.maxReplicas=3',
        'autoscaling.targetCPUUtilizationPercentage=60',
        // By default it waits for 5 minutes before it takes replicas away.
        'autoscaling.behavior.scaleDown.stabilizationWindowSeconds=0',
        'podDisruptionBudget.enabled=false',
        'resources.requests.cpu=20m',
        'resources.limits.cpu=200m',
      ],
    });
    const { workload, namespace } = serverIn(release);
    const deployment = serverOf(release);
    const { autoscaler, title } = workload;
    if (!autoscaler)
      throw new CheckFailure('E_NOT_RENDERED', `the chart renders no HorizontalPodAutoscaler for ${title}`);
    await measured(kube, { name: autoscaler.metadata.name, namespace });
    await expect(await withinLimits(release)).toHold();

    const { address, port } = await serviceAddress(release);
    const url = `http://${address}:${port}/health`;
    await admit(lab, release, namespace);
    await startBarePod(kube, {
      name: 'load',
      namespace,
      image: busyboxImage.ref,
      // Ends by itself, also when the check is interrupted.
      command: ['timeout', '400', 'sh', '-c', `while :; do busybox wget -q -O /dev/null ${url}; done`],
      tolerations: [{ operator: 'Exists', effect: 'NoSchedule' }],
    });
    const more = await deploymentScaled(
      kube,
      deployment,
      { not: 1 },
      { ...DECIDED, what: 'the autoscaler to add a replica under load' },
    );
    expect(more, 'replicas under load').toBeGreaterThan(1);
    await expect(await withinLimits(release)).toHold();

    await kube.delete('Pod', { name: 'load', namespace });
    await deploymentScaled(kube, deployment, 1, {
      ...DECIDED,
      what: 'the autoscaler to take the replicas away without load',
    });
    observe(`1 replica, ${more} under load, 1 without`);
  },
);

/** Waits until the autoscaler has metrics: condition ScalingActive. */
function measured(kube: KubeClient, ref: { name: string; namespace: string }): Promise<void> {
  return waitFor<undefined>({
    what: `HorizontalPodAutoscaler ${ref.name} to be active (ScalingActive)`,
    ...DECIDED,
    look: async () => {
      const live = await kube.get(AUTOSCALER, ref);
      const active = conditionsOf(live).find(({ type }) => type === 'ScalingActive');
      if (active?.status === 'True') return { done: true, value: undefined };
      const seen = active?.message ?? 'no condition ScalingActive';
      // Without a request there is nothing to be a percentage of, however long one waits.
      return seen.includes('missing request for cpu')
        ? { done: false, seen, hopeless: seen }
        : { done: false, seen };
    },
  });
}

const podMetrics = z.looseObject({
  containers: z.array(z.looseObject({ name: z.string(), usage: z.record(z.string(), z.string()) })),
});

/** What `kubectl top pod --containers` shows is within the limits; every container has some. */
async function withinLimits(release: Release): Promise<PredicateResult> {
  const pods = await serverPods(release);
  const uses: { pod: Pod; container: string; usage: Record<string, string> }[] = [];
  for (const metrics of await release.kube.list(POD_METRICS, { namespace: serverIn(release).namespace })) {
    const pod = pods.find(({ metadata }) => metadata.name === metrics.metadata.name);
    if (!pod) continue;
    for (const { name, usage } of podMetrics.parse(metrics).containers)
      uses.push({ pod, container: name, usage });
  }
  return everyOne(uses, {
    expected: 'every container uses no more than its limits',
    what: 'containers with metrics',
    title: ({ pod, container }) => `${pod.metadata.name}/${container}`,
    wrong: ({ pod, container, usage }) => {
      const limits = pod.spec.containers.find(({ name }) => name === container)?.resources?.limits ?? {};
      for (const name of ['cpu', 'memory']) {
        const [limit, used] = [limits[name], usage[name]];
        if (limit === undefined) return `has no limit of ${name}`;
        // The kernel enforces the quota of cpu per period, and a measurement may end within one.
        const allowed = parseQuantity(limit) * (name === 'cpu' ? 1.1 : 1);
        if (used !== undefined && parseQuantity(used) > allowed)
          return `uses ${used} of ${name}, with a limit of ${limit}`;
      }
      return undefined;
    },
  });
}
