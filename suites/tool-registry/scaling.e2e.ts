/** More and fewer replicas: by hand, and by an autoscaler that is left to decide. */
import { endpointsMatch } from '../../harness/observe/predicates/live/endpoints.ts';
import { eventually } from '../../harness/observe/waits/eventually.ts';
import { autoscalersCanScale } from '../../harness/observe/predicates/rendered/autoscaling.ts';
import { nothingWrong, type PredicateResult } from '../../harness/observe/predicates/result.ts';
import { waitFor } from '../../harness/core/deadline.ts';
import type { KubeObject } from '../../harness/kube/api/types.ts';
import { expect } from '../../harness/run/suite/assertions.ts';
import { containerStatus, type Release } from '../../harness/run/suite/release.ts';
import { autoscaler, autoscalerStatus } from './autoscaler.ts';
import { registryOf } from './environment.ts';
import { requirement } from './kit.ts';
import { upgradesIn } from './migration-log.ts';
import { MIGRATIONS, migrationLog } from './migration-run.ts';
import { DEPLOYMENT, SERVICE } from './names.ts';
import { scale } from './scale.ts';
import { leftToTheAutoscaler, replicas, unscheduled } from './variants.ts';

/** An autoscaler decides every 15 s, when its controller has the time. */
const DECIDED_MS = 120_000;

requirement(
  'R-33',
  'scales from 3 to 5 replicas, whose migrations have nothing to do, and back to 3',
  { release: 'none', disruptive: true, timeoutMs: 480_000 },
  async ({ lab, observe }) => {
    const release = await lab.install({ patches: replicas(3) });
    const first = await release.pods();
    const { database } = registryOf(release);
    const schema = await database.alembicVersion();
    const logs = await Promise.all(first.map((pod) => migrationLog(release, pod)));
    // Otherwise silence of the others would mean nothing.
    expect(logs.flatMap(upgradesIn).length, 'upgrades logged by the first replicas').toBeGreaterThan(0);

    await scale(release, 5);
    await release.rolledOut();
    await expect(release.deployment(DEPLOYMENT)).toHaveAvailableReplicas(5);
    await expectEndpoints(release);
    const known = new Set(first.map((pod) => pod.metadata.uid));
    const added = (await release.pods()).filter((pod) => !known.has(pod.metadata.uid));
    expect(added.length, 'pods that came with the scaling').toBe(2);
    for (const pod of added) {
      const { name } = pod.metadata;
      const init = containerStatus(pod, MIGRATIONS);
      expect(init.state?.terminated?.exitCode, `exit code of ${MIGRATIONS} in ${name}`).toBe(0);
      expect(init.restartCount, `restarts of ${MIGRATIONS} in ${name}`).toBe(0);
      expect(upgradesIn(await migrationLog(release, pod)), `upgrades made by ${name}`).toEqual([]);
    }
    expect(await database.alembicVersion(), 'revision of the schema').toBe(schema);

    await scale(release, 3);
    await release.rolledOut();
    await expect(release.deployment(DEPLOYMENT)).toHaveAvailableReplicas(3);
    await expectEndpoints(release);
    await expect(release.deployment(DEPLOYMENT)).toHaveNoRestarts();
    observe(
      '3, 5 and 3 replicas, as many endpoints each time; two new pods found the schema as it has to be',
    );
  },
);

requirement(
  'R-34',
  'is scaled by cpu at 70 %, and applying the manifests again does not undo what the autoscaler has decided',
  { release: 'none', disruptive: true, needs: ['metrics'], timeoutMs: 480_000 },
  async ({ lab, kube, observe }) => {
    const { object, spec } = await autoscaler(lab);
    expect(spec.scaleTargetRef, 'what the autoscaler scales').toMatchObject({
      kind: 'Deployment',
      name: DEPLOYMENT,
    });
    expect([spec.minReplicas, spec.maxReplicas], 'fewest and most replicas').toEqual([3, 10]);
    expect(spec.cpuPercent, 'target for cpu, in percent of the requests').toBe(70);

    const patches = [...replicas(3), ...leftToTheAutoscaler];
    const release = await lab.install({ patches, rollout: false });
    const { namespace } = release;
    await kube.apply(object, { namespace });
    await release.until('the autoscaler to ask for 3 replicas', () => asksFor(release, 3), DECIDED_MS);
    await release.rolledOut();
    await expect(release.deployment(DEPLOYMENT)).toHaveAvailableReplicas(3);
    await release.until(
      'the autoscaler to know the use of cpu',
      async () => (await autoscalerStatus(kube, object, namespace)).cpuPercent !== undefined,
      180_000,
    );
    const { cpuPercent = 0 } = await autoscalerStatus(kube, object, namespace);

    // The autoscaler decides for 4, for a reason that needs no load.
    const { apiVersion, kind } = object;
    await kube.patch(
      { apiVersion, kind },
      { name: object.metadata.name, namespace },
      { spec: { minReplicas: 4 } },
    );
    await release.until('the autoscaler to ask for 4 replicas', () => asksFor(release, 4), DECIDED_MS);
    const from = (await release.settleRecording()).changes.length;
    await lab.upgrade(release, { patches });
    const recording = await release.settleRecording();
    const asked = recording.changes
      .filter(({ seq, object: changed }) => seq >= from && changed.kind === 'Deployment')
      .map(({ object: changed }) => replicasOf(changed));
    const lost = asked.filter((count) => count !== 4).map((count) => `replicas went from 4 to ${count}`);
    await expect(nothingWrong('applying the manifests again leaves 4 replicas', lost)).toHold();
    expect(replicasOf(await release.deployment(DEPLOYMENT).read()), 'replicas after applying again').toBe(4);
    await expect(autoscalersCanScale([...release.objects, object])).toHold();
    observe(`cpu at ${cpuPercent} % of the requests; 3 replicas asked for, 4 kept when applied again`);
  },
);

requirement(
  'R-34',
  'is brought back to 3 replicas from fewer, and to 10 from more',
  { release: 'none', disruptive: true },
  async ({ lab, kube, observe }) => {
    // The numbers are the autoscaler's whether or not the pods run; these wait for a scheduler that there is not.
    const patches = [...replicas(1), ...unscheduled];
    const release = await lab.install({ patches, rollout: false });
    const { object } = await autoscaler(lab);
    await kube.apply(object, { namespace: release.namespace });
    expect(await correctionOf(release, 1), 'replicas that 1 is corrected to').toBe(3);
    await scale(release, 12);
    expect(await correctionOf(release, 12), 'replicas that 12 are corrected to').toBe(10);
    observe('1 became 3, 12 became 10');
  },
);

/** The controller of the slices comes to a pod after that has become ready. */
async function expectEndpoints(release: Release): Promise<void> {
  const { kube, namespace } = release;
  const labelSelector = `kubernetes.io/service-name=${SERVICE}`;
  const asked = async (): Promise<PredicateResult> => {
    const slices = await kube.list('EndpointSlice', { namespace, labelSelector });
    return endpointsMatch(await release.service(SERVICE), slices, await release.pods());
  };
  await expect(await eventually(asked)).toHold();
}

/** How many replicas the Deployment asks for as soon as it is another number than this one. */
function correctionOf(release: Release, count: number): Promise<number> {
  return waitFor({
    what: `the autoscaler to correct ${count} replicas`,
    timeoutMs: DECIDED_MS,
    look: async () => {
      const replicas = replicasOf(await release.deployment(DEPLOYMENT).read());
      if (replicas !== count) return { done: true, value: replicas };
      return { done: false, seen: `${replicas} are asked for` };
    },
  });
}

async function asksFor(release: Release, count: number): Promise<boolean> {
  return replicasOf(await release.deployment(DEPLOYMENT).read()) === count;
}

function replicasOf(deployment: KubeObject): number {
  return (deployment['spec'] as { replicas?: number }).replicas ?? 1;
}
