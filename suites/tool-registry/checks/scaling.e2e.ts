/** More and fewer replicas: by hand, and by an autoscaler. */
import { endpointsMatch } from '../../../harness/observe/predicates/live/endpoints.ts';
import { eventually } from '../../../harness/observe/waits/eventually.ts';
import { autoscalersCanScale } from '../../../harness/observe/predicates/rendered/autoscaling.ts';
import { nothingWrong, type PredicateResult } from '../../../harness/observe/predicates/result.ts';
import { waitFor } from '../../../harness/core/deadline.ts';
import { deploymentScaled } from '../../../harness/observe/waits/deployment.ts';
import type { KubeClient } from '../../../harness/kube/api/client.ts';
import type { KubeObject } from '../../../harness/kube/api/types.ts';
import { expect } from '../../../harness/run/suite/assertions.ts';
import { containerStatus, type Release } from '../../../harness/run/suite/release.ts';
import { autoscaler, autoscalerStatus } from '../objects/autoscaler.ts';
import { scale } from '../deployment.ts';
import { requirement } from '../kit.ts';
import { upgradesIn } from '../migrations/migration-log.ts';
import { migrationLog, migrationsOf } from '../migrations/migration-run.ts';
import { renderedRoles, rolesOf, serverOf, serverPods, serviceOf } from '../roles.ts';
import { leftToTheAutoscaler, replicas, unscheduled } from '../variants.ts';

/** The autoscaler's controller decides every 15 s, later on a busy machine. */
const DECIDED = { timeoutMs: 120_000 };

requirement(
  'R-33',
  'scales from 3 to 5 replicas, whose migrations have nothing to do, and back to 3',
  { release: 'none', disruptive: true, timeoutMs: 480_000, typicalMs: 70_000 },
  async ({ lab, observe }) => {
    const release = await lab.install({ patches: await replicas(lab, 3) });
    const first = await serverPods(release);
    const { database } = release.environment;
    const schema = await database.alembicVersion();
    const logs = await Promise.all(first.map((pod) => migrationLog(release, pod)));
    // Proves that migrations log their upgrades.
    expect(logs.flatMap(upgradesIn).length, 'upgrades logged by the first replicas').toBeGreaterThan(0);

    await scale(release, 5);
    await release.rolledOut();
    await expect(serverOf(release)).toHaveAvailableReplicas(5);
    await expectEndpoints(release);
    const known = new Set(first.map((pod) => pod.metadata.uid));
    const added = (await serverPods(release)).filter((pod) => !known.has(pod.metadata.uid));
    expect(added.length, 'pods added by scaling').toBe(2);
    for (const pod of added) {
      const { name } = pod.metadata;
      const migrations = migrationsOf(release);
      const { state, restartCount } = containerStatus(pod, migrations);
      if (rolesOf(release).migrations.isSeparate)
        expect(state?.terminated?.exitCode, `exit code of ${migrations} in ${name}`).toBe(0);
      expect(restartCount, `restarts of ${migrations} in ${name}`).toBe(0);
      expect(upgradesIn(await migrationLog(release, pod)), `upgrades made by ${name}`).toEqual([]);
    }
    expect(await database.alembicVersion(), 'revision of the schema').toBe(schema);

    await scale(release, 3);
    await release.rolledOut();
    await expect(serverOf(release)).toHaveAvailableReplicas(3);
    await expectEndpoints(release);
    await expect(serverOf(release)).toHaveNoRestarts();
    observe('3, 5 and 3 replicas with as many endpoints each time; two new pods found the schema up to date');
  },
);

requirement(
  'R-34',
  'is scaled by cpu at 70 %, and applying the manifests again does not undo the autoscaler',
  { release: 'none', disruptive: true, needs: ['metrics'], timeoutMs: 480_000, typicalMs: 70_000 },
  async ({ lab, kube, observe }) => {
    const { object, spec } = await autoscaler(lab);
    const { deployment: scaled } = await renderedRoles(lab);
    expect(spec.scaleTargetRef, 'what the autoscaler scales').toMatchObject({
      kind: 'Deployment',
      name: scaled.metadata.name,
    });
    expect([spec.minReplicas, spec.maxReplicas], 'fewest and most replicas').toEqual([3, 10]);
    expect(spec.cpuPercent, 'target for cpu, in percent of the requests').toBe(70);

    const patches = [...(await replicas(lab, 3)), ...(await leftToTheAutoscaler(lab))];
    const release = await lab.install({ patches, rollout: false });
    const { namespace } = release;
    await kube.apply(object, { namespace });
    await deploymentScaled(kube, serverOf(release), 3, DECIDED);
    await release.rolledOut();
    await expect(serverOf(release)).toHaveAvailableReplicas(3);
    const cpuPercent = await measuredCpu(kube, object, namespace);

    // Makes the autoscaler decide for 4 without load.
    const { apiVersion, kind } = object;
    await kube.patch(
      { apiVersion, kind },
      { name: object.metadata.name, namespace },
      { spec: { minReplicas: 4 } },
    );
    await deploymentScaled(kube, serverOf(release), 4, DECIDED);
    const from = (await release.settleRecording()).changes.length;
    const deployment = serverOf(release).name;
    await lab.upgrade(release, { patches });
    const recording = await release.settleRecording();
    const counts = recording.changes
      .filter(
        ({ seq, object: changed }) =>
          seq >= from && changed.kind === 'Deployment' && changed.metadata.name === deployment,
      )
      .map(({ object: changed }) => replicasOf(changed));
    const lost = counts.filter((count) => count !== 4).map((count) => `replicas went from 4 to ${count}`);
    await expect(nothingWrong('applying the manifests again leaves 4 replicas', lost)).toHold();
    expect(replicasOf(await serverOf(release).read()), 'replicas after applying again').toBe(4);
    await expect(autoscalersCanScale([...release.objects, object])).toHold();
    observe(
      `cpu at ${cpuPercent} % of the requests; scaled to 3 replicas, then to 4, kept when applied again`,
    );
  },
);

requirement(
  'R-34',
  'is scaled to 3 replicas from fewer, and to 10 from more',
  { release: 'none', disruptive: true },
  async ({ lab, kube, observe }) => {
    // The autoscaler corrects the number whether or not the pods run; these have no scheduler.
    const patches = [...(await replicas(lab, 1)), ...(await unscheduled(lab))];
    const release = await lab.install({ patches, rollout: false });
    const { object } = await autoscaler(lab);
    await kube.apply(object, { namespace: release.namespace });
    const deployment = serverOf(release);
    const corrected = await deploymentScaled(kube, deployment, { not: 1 }, DECIDED);
    expect(corrected, 'replicas that 1 is corrected to').toBe(3);
    await scale(release, 12);
    const reduced = await deploymentScaled(kube, deployment, { not: 12 }, DECIDED);
    expect(reduced, 'replicas that 12 are corrected to').toBe(10);
    observe('1 became 3, 12 became 10');
  },
);

/** The controller of EndpointSlices follows the readiness of pods with a delay. */
async function expectEndpoints(release: Release): Promise<void> {
  const { kube, namespace } = release;
  const { name } = serviceOf(release).metadata;
  const labelSelector = `kubernetes.io/service-name=${name}`;
  const match = async (): Promise<PredicateResult> => {
    const slices = await kube.list('EndpointSlice', { namespace, labelSelector });
    return endpointsMatch(await release.service(name), slices, await serverPods(release));
  };
  await expect(await eventually(match)).toHold();
}

/** The autoscaler's measured cpu utilization in percent of the requests; waits for its first measurement. */
function measuredCpu(kube: KubeClient, autoscaler: KubeObject, namespace: string): Promise<number> {
  return waitFor<number>({
    what: 'the autoscaler to measure the cpu utilization',
    timeoutMs: 180_000,
    look: async () => {
      const { cpuPercent, currentReplicas } = await autoscalerStatus(kube, autoscaler, namespace);
      return cpuPercent === undefined
        ? { done: false, seen: `not yet, with ${currentReplicas ?? 'no'} replicas` }
        : { done: true, value: cpuPercent };
    },
  });
}

function replicasOf(deployment: KubeObject): number {
  return (deployment['spec'] as { replicas?: number }).replicas ?? 1;
}
