/** Probes tell the truth: they pass while nothing is wrong, and fail when the processes are frozen. */
import { cgroupOf } from '../../../clusters/nodes/container-cgroup.ts';
import { runningContainersOf } from '../../../clusters/nodes/container-memory.ts';
import { waitFor, type WaitOptions } from '../../../harness/core/deadline.ts';
import { DoesNotFit, InfrastructureError } from '../../../harness/core/errors.ts';
import { hasCondition } from '../../../harness/kube/api/objects.ts';
import type { Container, ContainerStatus, KubeEvent, Pod } from '../../../harness/kube/api/types.ts';
import type { ModelWorkload } from '../../../harness/kube/manifests/model/model.ts';
import { lasting, modelOf } from '../../../harness/kube/manifests/model/subject-model.ts';
import {
  blindness,
  canBeCounted,
  failuresOf,
  type FrozenProbe,
  noticesFreeze,
  patienceOf,
} from '../../../harness/observe/predicates/live/frozen-probe.ts';
import { nothingWrong } from '../../../harness/observe/predicates/result.ts';
import type { EndpointsMoment } from '../../../harness/observe/recorder/endpoints.ts';
import { eventCount } from '../../../harness/observe/recorder/events.ts';
import { expect } from '../../../harness/run/suite/assertions.ts';
import { sharpestOf } from '../../../harness/run/suite/control-pod.ts';
import { notAboutSubject } from '../../../harness/run/suite/not-about-subject.ts';
import type { Release } from '../../../harness/run/suite/release.ts';
import { probeEffects } from '../../pods/beside-controls.ts';
import { startControls } from '../../pods/control-pods.ts';
import { probedBeside } from '../../pods/probed-beside.ts';
import { startFrozenControl } from '../frozen-control.ts';
import { requirement } from '../kit.ts';
import { type LiveWorkload, runningWorkloads } from '../live-workloads.ts';

const NAMESPACE = 'default';
/** The window in which probes are watched is as long as the most patient of them, within reason. */
const SHORTEST_WINDOW = 20;
const LONGEST_WINDOW = 60;
/** A probe that takes longer to have an effect is not waited for. */
const MOST_PATIENT = 120;
/** The control decides; only a kubelet that reports nothing at all is waited for so long. */
const REPORT_MS = 300_000;

requirement(
  'X-16',
  'never fails a probe that has an effect once it is ready',
  { timeoutMs: 900_000, typicalMs: 90_000 },
  async ({ release, lab, observe }) => {
    const workloads = (await runningWorkloads(release)).filter(
      ({ model }) => lastingProbes(model).length > 0,
    );
    const pods = workloads.flatMap((workload) => workload.pods);
    if (pods.length === 0) throw new DoesNotFit('no container of the chart that keeps running has a probe');
    const controls = await startControls(lab, release, { pods, like: sharpestBeside(workloads) });
    const patience = workloads.flatMap(({ model }) =>
      lastingProbes(model).map(({ probe }) => patienceOf(probe)),
    );
    await probedBeside(1000 * Math.min(Math.max(SHORTEST_WINDOW, ...patience) + 5, LONGEST_WINDOW));
    const recording = await release.settleRecording();
    const recorded = pods.filter((pod) => isRecorded(release, pod));
    if (recorded.length === 0)
      throw new DoesNotFit('the pods of the chart are in a namespace of its own, which is not recorded');
    const record = await controls.record();
    const { broken, undecided: unknown } = probeEffects(recording, recorded, record);
    const complaints = broken.map((says) => namingSidecars(says, recorded));
    await expect(nothingWrong('no pod loses its readiness or is restarted by a probe', complaints)).toHold();
    const { undecided } = probeEffects(recording, recorded, record, record.from);
    if (undecided[0] !== undefined)
      throw new InfrastructureError('E_CONTROL', `the machine may be the cause: ${undecided[0]}`, {
        hint: 'Run again when the machine does nothing else.',
      });
    unknown.forEach(observe);
    const names = new Set(recorded.map(({ metadata }) => metadata.name));
    for (const { name, message, count } of recording.warningEvents({ reason: 'Unhealthy' }))
      if (names.has(name)) observe(`${name}: ${message.trim()} (×${count}, without an effect)`);
    observe(`${recorded.length} pods since their start, at the end beside control pods`);
  },
);

/** For the control on a node: one container for all pods there, whose probes fail no later than theirs when the machine stalls. */
function sharpestBeside(workloads: readonly LiveWorkload[]): (pod: Pod) => Container {
  return ({ spec: { nodeName } }) => {
    const beside = workloads.filter(({ pods }) => pods.some(({ spec }) => spec.nodeName === nodeName));
    const probe = sharpestOf(beside.flatMap(({ model }) => lastingProbes(model)).map((one) => one.probe));
    return { name: 'control', image: '', readinessProbe: probe, livenessProbe: probe };
  };
}

/** Probes of containers that keep running. */
function lastingProbes({ probes, template }: ModelWorkload): FrozenProbe[] {
  const running = new Set(runningContainersOf({ spec: template.spec } as Pod));
  return probes.filter(({ container }) => running.has(container));
}

/** Says so when the main container of a pod is ready, and another is not. */
function namingSidecars(says: string, pods: readonly Pod[]): string {
  const pod = pods.find(({ metadata }) => says.startsWith(`${metadata.name} `));
  const [main] = pod?.spec.containers ?? [];
  const unready = /unready status: \[([^\]]*)\]/.exec(says)?.[1]?.split(' ') ?? [];
  if (!main || unready.length === 0 || unready.includes(main.name)) return says;
  return `${says}; its main container ${main.name} is ready, its sidecar ${unready.join(', ')} is not`;
}

requirement(
  'X-16',
  'takes a pod whose processes are frozen out of service, and restarts it where a liveness probe asks for it',
  { release: 'none', disruptive: true, needs: ['node-access'], timeoutMs: 900_000, typicalMs: 100_000 },
  async ({ lab, kube, cluster, observe }) => {
    const { nodes } = cluster;
    if (!nodes) throw new Error('node-access is proven, and there are no nodes');
    const { objects } = await lab.render({ namespace: NAMESPACE });
    const unjudged: string[] = [];
    for (const workload of lasting(modelOf(objects, { namespace: NAMESPACE })))
      for (const { name, container, probe } of effectiveProbes(workload))
        if (!isJudged(probe))
          unjudged.push(
            `${workload.title}: the ${name} of ${container} ${
              noticesFreeze(probe)
                ? `takes ${patienceOf(probe)} s to have an effect`
                : 'opens a port only, which a frozen process does not prevent'
            }`,
          );
    const judged = lasting(modelOf(objects, { namespace: NAMESPACE })).filter(
      (one) => judgedProbes(one).length > 0,
    );
    if (judged.length === 0)
      throw new DoesNotFit(unjudged.join('; ') || 'no container of the chart that keeps running has a probe');
    unjudged.forEach(observe);
    const release = await lab.install();
    const namespace = await lab.namespace();
    const frozen = (await runningWorkloads(release)).filter(({ model }) => judgedProbes(model).length > 0);
    const results = await Promise.all(
      frozen.map((workload, index) => freezeOne(workload, `control-${index}`)),
    );
    if (results.every((blind) => blind === undefined))
      throw new DoesNotFit('no pod of the chart with a probe is ready and recorded');
    const blind = results.flatMap((lines) => lines ?? []);
    await expect(nothingWrong('every probe notices frozen processes', blind)).toHold();
    await release.rolledOut();

    /**
     * Freezes the probed containers of one pod and names the probes that do not notice it.
     *
     * @returns `undefined` when nothing can be known: no pod is ready, as the others of a leader, or the namespace is not recorded
     */
    async function freezeOne(
      { model, namespace: home, pods }: LiveWorkload,
      name: string,
    ): Promise<string[] | undefined> {
      const pod = pods.find((one) => hasCondition(one, 'Ready') && isRecorded(release, one));
      if (!pod || !nodes) {
        observe(`${model.title} has no ready pod in a namespace that is recorded`);
        return undefined;
      }
      const probes = judgedProbes(model);
      const control = await startFrozenControl(lab, nodes, { namespace, name, beside: pod }, probes);
      const containers = [...new Set(probes.map(({ container }) => container))];
      const cgroups = await notAboutSubject('E_NOT_FROZEN', `${pod.metadata.name} could not be frozen`, () =>
        Promise.all(containers.map((container) => cgroupOf(nodes, pod, container))),
      );
      const thaw = async (): Promise<void> => {
        await Promise.all(cgroups.map((cgroup) => cgroup.thaw()));
      };
      lab.defer(`thaw ${pod.metadata.name}`, thaw);
      const start = {
        pod: await eventsOf(pod, home),
        control: await Promise.all(probes.map((_, i) => control.failures(i))),
      };
      const from = (await release.settleRecording()).changes.length;
      await notAboutSubject('E_NOT_FROZEN', 'the processes cannot be frozen', () =>
        Promise.all([control.freeze(), ...cgroups.map((cgroup) => cgroup.freeze())]),
      );
      const blind: string[] = [];
      const restarted = new Set<string>();
      // A restart ends the freeze of a container: after it, nothing is known about a readiness probe that is the more patient one.
      for (const [index, probe] of [...probes.entries()].sort(
        ([, one], [, other]) => turnOf(one) - turnOf(other),
      )) {
        if (probe.name === 'readinessProbe' && restarted.has(probe.container)) continue;
        const why = await untilNoticed({ pod, home, probe, from }, async (events) => ({
          probe: failuresOf(events, probe) - failuresOf(start.pod, probe),
          control: (await control.failures(index)) - (start.control[index] ?? 0),
          all: events.reduce((sum, event) => sum + eventCount(event), 0),
        }));
        if (why !== undefined) blind.push(`${model.title}: ${why}`);
        else
          observe(
            `${model.title}: the ${probe.name} of ${probe.container} noticed that ${pod.metadata.name} was frozen`,
          );
        if (why !== undefined) continue;
        if (probe.name === 'livenessProbe') restarted.add(probe.container);
        else await outOfService(release, model, pod, from);
      }
      // A frozen process cannot end by itself.
      await thaw();
      return blind;
    }

    /**
     * @returns why it will not notice; `undefined` once it has had its effect
     * @throws InfrastructureError when the kubelet reports too little, or something else takes the pod away
     */
    function untilNoticed(
      { pod, home, probe, from }: { pod: Pod; home: string; probe: FrozenProbe; from: number },
      count: (events: readonly KubeEvent[]) => Promise<Parameters<typeof blindness>[1]>,
    ): Promise<string | undefined> {
      const wait: WaitOptions<string | undefined> = {
        what: `the ${probe.name} of ${probe.container} in ${pod.metadata.name} to notice that it is frozen`,
        timeoutMs: REPORT_MS,
        intervalMs: 1000,
        look: async () => {
          // The count first: what is seen afterwards is newer.
          const failed = await count(await eventsOf(pod, home));
          const now = await kube.get('Pod', { name: pod.metadata.name, namespace: home });
          if (!now || now.metadata.uid !== pod.metadata.uid)
            return { done: false, seen: 'the pod is gone', hopeless: 'the pod is gone' };
          const hasEffect =
            probe.name === 'readinessProbe'
              ? wasUnready(release, pod, probe, from)
              : (await killed(pod, home, probe)) || restartsOf(now, probe) > restartsOf(pod, probe);
          if (hasEffect) return { done: true, value: undefined };
          const why = blindness(probe, failed);
          if (why !== undefined) return { done: true, value: why };
          return {
            done: false,
            seen: `it failed ${failed.probe} times, that of the control ${failed.control} times`,
          };
        },
      };
      return notAboutSubject('E_CONTROL', 'nothing is known about the probe', () => waitFor(wait));
    }

    async function killed(pod: Pod, home: string, { container }: FrozenProbe): Promise<boolean> {
      const fieldSelector = `reason=Killing,involvedObject.name=${pod.metadata.name}`;
      const events = await kube.list('Event', { namespace: home, fieldSelector });
      return events.some(({ message = '' }) =>
        message.includes(`Container ${container} failed liveness probe`),
      );
    }

    function eventsOf({ metadata: { name } }: Pod, home: string): Promise<KubeEvent[]> {
      return kube.list('Event', {
        namespace: home,
        fieldSelector: `reason=Unhealthy,involvedObject.name=${name}`,
      });
    }
  },
);

/** Liveness and readiness probes: a startup probe has had its effect before. */
function effectiveProbes(workload: ModelWorkload): FrozenProbe[] {
  return lastingProbes(workload).filter(({ name }) => name !== 'startupProbe');
}

function isJudged(probe: FrozenProbe['probe']): boolean {
  return noticesFreeze(probe) && patienceOf(probe) <= MOST_PATIENT && canBeCounted(probe);
}

function judgedProbes(workload: ModelWorkload): FrozenProbe[] {
  return effectiveProbes(workload).filter(({ probe }) => isJudged(probe));
}

/** The less patient probe first; of two that are as patient, the one that restarts nothing. */
function turnOf({ name, probe }: FrozenProbe): number {
  return patienceOf(probe) + (name === 'livenessProbe' ? 0.5 : 0);
}

function statusOf({ status }: Pod, { container }: FrozenProbe): ContainerStatus | undefined {
  const all = [...(status?.containerStatuses ?? []), ...(status?.initContainerStatuses ?? [])];
  return all.find(({ name }) => name === container);
}

function restartsOf(pod: Pod, probe: FrozenProbe): number {
  return statusOf(pod, probe)?.restartCount ?? 0;
}

/** From the recording: a container that is restarted soon may be ready again when it is looked at. */
function wasUnready({ recording }: Release, { metadata }: Pod, probe: FrozenProbe, from: number): boolean {
  return recording
    .podHistory(metadata.uid ?? metadata.name)
    .some(({ seq, object }) => seq >= from && statusOf(object, probe)?.ready === false);
}

/**
 * Controllers follow the condition of the pod. A Service may publish pods that are not ready on purpose.
 *
 * @throws InfrastructureError when they do not: no chart has a part in that
 */
async function outOfService(
  release: Release,
  { services }: ModelWorkload,
  { metadata: { name } }: Pod,
  from: number,
): Promise<void> {
  for (const { metadata: service, spec } of services) {
    if (spec['publishNotReadyAddresses'] === true) continue;
    const trace = (): EndpointsMoment[] => release.recording.endpointsOf(service.name);
    if (
      trace()
        .findLast(({ seq }) => seq < from)
        ?.ready.has(name) !== true
    )
      continue;
    await notAboutSubject('E_ENDPOINTS', 'the cluster does not update endpoints', () =>
      release.until(`pod ${name} to leave the endpoints of Service ${service.name}`, () =>
        Promise.resolve(trace().some(({ seq, ready }) => seq >= from && !ready.has(name))),
      ),
    );
  }
}

/** Without a record nothing is known about the effect of a probe. */
function isRecorded({ recording }: Release, { metadata }: Pod): boolean {
  return recording.podHistory(metadata.uid ?? metadata.name).length > 0;
}
