/** The release is installed as rendered, and keeps running. */
import { containerMemory } from '../../../clusters/nodes/container-memory.ts';
import { DoesNotFit, InfrastructureError } from '../../../harness/core/errors.ts';
import { logTail } from '../../../harness/core/wording.ts';
import { formatBytes } from '../../../harness/kube/api/quantity.ts';
import type { Pod, PodSpec, Workload } from '../../../harness/kube/api/types.ts';
import {
  hasPlacementRules,
  placedAsRendered,
} from '../../../harness/observe/predicates/live/placed-as-rendered.ts';
import { qualityOfService } from '../../../harness/observe/predicates/live/quality-of-service.ts';
import { replicasAsRendered } from '../../../harness/observe/predicates/live/rendered-replicas.ts';
import { cgroupMatches } from '../../../harness/observe/predicates/live/resources.ts';
import { undisturbed } from '../../../harness/observe/predicates/live/undisturbed.ts';
import { nearlyFitting, wantsNone } from '../../../harness/observe/diagnose/wanted-nodes.ts';
import { nothingWrong } from '../../../harness/observe/predicates/result.ts';
import { eventually } from '../../../harness/observe/waits/eventually.ts';
import { jobComplete } from '../../../harness/observe/waits/job.ts';
import { podReady } from '../../../harness/observe/waits/pod-start.ts';
import { expect } from '../../../harness/run/suite/assertions.ts';
import { notAboutSubject } from '../../../harness/run/suite/not-about-subject.ts';
import type { Release } from '../../../harness/run/suite/release.ts';
import { probeEffects } from '../../pods/beside-controls.ts';
import { helmTestPasses, testsOf } from '../helm-tests.ts';
import { requirement } from '../kit.ts';
import { hasStorageLimit, storageMeasured } from '../measured-storage.ts';
import {
  lastingOf,
  type LiveWorkload,
  modelOfRelease,
  readWorkloads,
  runningWorkloads,
} from '../live-workloads.ts';
import { needHelmChart } from '../subject-form.ts';

requirement(
  'X-13',
  'becomes ready: every workload, and every Job and hook completes',
  // Hooks and rollout may take what the suite allows (limits), and some more.
  { first: true, timeoutMs: 960_000 },
  async ({ release, kube, observe }) => {
    const workloads = modelOfRelease(release).workloads.filter(({ course }) => course !== 'test');
    if (workloads.length === 0) throw new DoesNotFit('the chart renders nothing that runs pods');
    const nodes = await kube.list('Node');
    const complaints: string[] = [];
    const unmeant: string[] = [];
    for (const workload of await readWorkloads(release, workloads)) {
      const { model, object } = workload;
      const none = object && wantsNone(object as Workload, nodes);
      if (none !== undefined) {
        const near = nearlyFitting(model.template.spec, nodes).map(({ name, lacks }) => `${name} ${lacks}`);
        const wants = `${model.title} ${none}`;
        if (near.length > 0) complaints.push(`${wants}, and ${near.join('; ')}`);
        else unmeant.push(wants);
        continue;
      }
      observe(`${model.title} ${await readiness(release, workload)}`);
    }
    await expect(nothingWrong('every DaemonSet has a node', complaints)).toHold();
    unmeant.forEach(observe);
    if (unmeant.length === workloads.length) throw new DoesNotFit(unmeant.join('; '));
  },
);

/**
 * Waits until the workload is as it should be. The rollouts are complete already.
 *
 * @returns completes the sentence that starts with its name
 * @throws WaitTimeout
 */
async function readiness(release: Release, { model, namespace, object }: LiveWorkload): Promise<string> {
  const { kube } = release;
  const ref = { name: model.object.metadata.name, namespace };
  if (model.hookEvents.length > 0) return `is a hook (${model.hookEvents.join(', ')}), which helm waited for`;
  if (model.course === 'scheduled') {
    const { schedule, suspend } = (object?.['spec'] ?? {}) as { schedule?: string; suspend?: boolean };
    return `has the schedule ${schedule ?? '?'}${suspend === true ? ' and is suspended' : ''}`;
  }
  if (model.object.kind === 'Job') {
    if (!object && wasComplete(release, ref.name)) return 'completed, and was deleted after its time to live';
    await jobComplete(kube, ref);
    return 'completed';
  }
  if (model.object.kind !== 'Pod') return 'is rolled out';
  if (model.course === 'long-running') await podReady(kube, ref);
  else
    await release.until(
      `pod ${ref.name} to succeed`,
      async () => (await phase(release, ref)) === 'Succeeded',
      180_000,
    );
  return model.course === 'long-running' ? 'is ready' : 'succeeded';
}

async function phase(
  { kube }: Release,
  ref: { name: string; namespace: string },
): Promise<string | undefined> {
  return (await kube.get('Pod', ref))?.status?.phase;
}

function wasComplete({ recording }: Release, job: string): boolean {
  return recording
    .objects('Job')
    .some(
      ({ metadata, status }) =>
        metadata.name === job &&
        (status?.conditions ?? []).some((one) => one.type === 'Complete' && one.status === 'True'),
    );
}

requirement(
  'X-14',
  'runs as many replicas as it renders, all of the newest revision',
  async ({ release }) => {
    const workloads = lastingOf(release).filter(({ replicas }) => replicas !== undefined);
    if (workloads.length === 0) throw new DoesNotFit('no workload of the chart has replicas');
    for (const { object, replicas: wanted } of workloads) {
      const title = `${object.kind} ${object.metadata.name}`;
      // An autoscaler raises the number within its period of 15 s.
      const result = await eventually(
        async () => {
          const [live] = await readWorkloads(
            release,
            workloads.filter((one) => one.object === object),
          );
          if (!live?.object || !wanted) return nothingWrong(`${title} exists`, ['it does not exist']);
          return replicasAsRendered(live.object as Workload, live.pods, wanted);
        },
        { timeoutMs: 60_000 },
      );
      await expect(result).toHold();
    }
  },
);

requirement('X-15', 'has its pods on the nodes that its manifests ask for', async ({ release, kube }) => {
  const running = await runningWorkloads(release);
  const workloads = running.filter(({ model }) => hasPlacementRules(model));
  if (workloads.length === 0) throw new DoesNotFit('no workload of the chart says where its pods run');
  const surroundings = { nodes: await kube.list('Node'), pods: running.flatMap(({ pods }) => pods) };
  for (const { model, pods } of workloads) await expect(placedAsRendered(model, pods, surroundings)).toHold();
});

requirement(
  'X-17',
  'never had a restart, an OOM kill or an eviction once it was ready',
  { last: true },
  async ({ release, cluster, observe }) => {
    const readPods = () => lastingPods(release);
    // First what the API says: a container that keeps ending has no cgroup most of the time.
    const present = await readPods();
    for (const line of await restartLogs(release, present)) observe(line);
    await expectUndisturbed(release, present);
    const { nodes } = cluster;
    const containers = nodes ? await measured(() => containerMemory(nodes, readPods)) : [];
    for (const { pod, container, memory } of containers) {
      if (memory.maxUsageBytes === undefined) continue;
      const limit =
        memory.limitBytes === undefined ? 'no limit' : `its limit of ${formatBytes(memory.limitBytes)}`;
      observe(
        `${pod.metadata.name}/${container}: at most ${formatBytes(memory.maxUsageBytes)} of memory, ${limit}`,
      );
    }
    if (!nodes) observe('without access to the nodes, an OOM kill of a child process would not be noticed');
    const kills = containers.map(({ pod, container, memory }) => ({
      pod: pod.metadata.name,
      container,
      oomKills: memory.oomKills,
    }));
    await expectUndisturbed(release, await readPods(), kills);
    for (const { pod, container, cgroup } of containers) {
      const { periods, throttledPeriods } = await measured(() => cgroup.cpu());
      if (throttledPeriods === 0) continue;
      const share = Math.round((100 * throttledPeriods) / periods);
      observe(`${pod.metadata.name}/${container}: throttled by its CPU limit in ${share} % of its periods`);
    }
  },
);

/** @throws InfrastructureError `E_MACHINE` when all that happened to the pods may be the doing of the machine */
async function expectUndisturbed(
  release: Release,
  pods: readonly Pod[],
  kills: Parameters<typeof undisturbed>[2] = [],
): Promise<void> {
  const recording = await release.settleRecording();
  const { excused } = probeEffects(recording, pods, { from: Infinity, records: [] });
  const result = undisturbed(recording, pods, kills, excused);
  await expect(result).toHold();
  if (result.undecided[0] !== undefined)
    throw new InfrastructureError('E_MACHINE', `the machine may be the cause: ${result.undecided[0]}`, {
      hint: 'Run again when the machine does nothing else. X-16 judges probes beside a control.',
    });
}

/** A container that ends meanwhile has no cgroup, and says nothing about what is measured. */
function measured<T>(work: () => Promise<T>): Promise<T> {
  return notAboutSubject('E_NOT_MEASURED', 'a container could not be measured', work);
}

requirement(
  'X-17',
  'stays within the size limits of its volumes',
  { timeoutMs: 480_000, typicalMs: 90_000 },
  async ({ release, lab, observe }) => {
    const limited = (await runningWorkloads(release)).filter(({ model }) =>
      hasStorageLimit(model.template.spec),
    );
    if (limited.length === 0) throw new DoesNotFit('no workload of the chart limits its local storage');
    const nodes = limited.flatMap(({ pods }) => pods.flatMap(({ spec }) => spec.nodeName ?? []));
    await storageMeasured(lab, [...new Set(nodes)]);
    await expectUndisturbed(release, await lastingPods(release));
    observe(`a pod beside it that exceeds a limit was evicted from ${nodes.join(', ')}`);
  },
);

/** Pods of all phases: an evicted one has failed. */
async function lastingPods(release: Release): Promise<Pod[]> {
  return (await readWorkloads(release, lastingOf(release))).flatMap(({ pods }) => pods);
}

/** What containers said before they were restarted: a restart while the parts of a release start is no failure, and may be a defect. */
async function restartLogs({ kube, namespace: own }: Release, pods: readonly Pod[]): Promise<string[]> {
  const restarted = pods.flatMap(({ metadata, status }) =>
    (status?.containerStatuses ?? [])
      .filter(({ restartCount }) => restartCount > 0)
      .map(({ name }) => ({ pod: metadata.name, namespace: metadata.namespace ?? own, container: name })),
  );
  return Promise.all(
    restarted.map(async (one) => {
      const log = await kube.logs({ ...one, previous: true, tailLines: 3 });
      return `${one.pod}/${one.container} said before its restart: ${logTail(log) ?? 'nothing, or its log is gone'}`;
    }),
  );
}

requirement(
  'X-18',
  'has its limits in the cgroup of every container',
  { needs: ['node-access'] },
  async ({ release, cluster, observe }) => {
    const { nodes } = cluster;
    if (!nodes) throw new Error('node-access is proven, and there are no nodes');
    const running = await runningWorkloads(release);
    const specOf = new Map(
      running.flatMap(({ model, pods }) =>
        pods.map(({ metadata }) => [metadata.uid, model.template.spec] as const),
      ),
    );
    const containers = await measured(() =>
      containerMemory(nodes, async () => (await runningWorkloads(release)).flatMap(({ pods }) => pods)),
    );
    if (containers.length === 0) throw new DoesNotFit('no container of the release is running');
    for (const { pod, container, cgroup, memory } of containers) {
      const title = `${pod.metadata.name}/${container}`;
      const rendered = limitsOf(specOf.get(pod.metadata.uid) ?? pod.spec, container);
      // Added by an admission webhook; the chart says nothing about it.
      if (!rendered) continue;
      // Those of the pod: a LimitRange may add some, and an autoscaler of requests may change them.
      const limits = limitsOf(pod.spec, container) ?? rendered;
      if (pod.spec['resources'] !== undefined) {
        observe(`${title} shares the limits of its pod`);
        continue;
      }
      for (const [name, quantity] of Object.entries(rendered))
        if (limits[name] !== quantity)
          observe(
            `${title}: the cluster has changed the limit of ${name} from ${quantity} to ${limits[name] ?? 'none'}`,
          );
      const { quotaUs, periodUs } = await measured(() => cgroup.cpu());
      const result = cgroupMatches({ limits }, { limitBytes: memory.limitBytes, quotaUs, periodUs });
      await expect({
        ...result,
        expected: `${title}: ${result.expected}`,
        observed: [`${title}: ${result.actual}`],
      }).toHold();
    }
    for (const { model, pods } of running) {
      const classes = new Set(pods.map(({ status }) => status?.qosClass ?? 'none'));
      observe(
        `${model.title}: quality of service ${[...classes].join(', ')}, rendered as ${qualityOfService(model.template.spec)}`,
      );
    }
  },
);

/** `undefined` when there is no such container. */
function limitsOf(
  { containers, initContainers = [] }: PodSpec,
  container: string,
): Record<string, string> | undefined {
  const found = [...containers, ...initContainers].find(({ name }) => name === container);
  return found && { ...found.resources?.limits };
}

requirement(
  'X-23',
  'passes its own tests (helm test)',
  { timeoutMs: 600_000 },
  async ({ release, lab, subject, observe }) => {
    await needHelmChart(subject);
    const tests = testsOf(release);
    if (tests.length === 0) throw new DoesNotFit('the chart has no tests');
    await expect(await helmTestPasses(lab, release, tests)).toHold();
    observe(`${tests.map(({ title }) => title).join(', ')} passed`);
  },
);
