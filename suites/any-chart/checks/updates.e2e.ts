/** Clients do not notice an update, and nodes can be drained. Each check works on a release of its own. */
import { DoesNotFit } from '../../../harness/core/errors.ts';
import type { Pod } from '../../../harness/kube/api/types.ts';
import type { ModelWorkload } from '../../../harness/kube/manifests/model/model.ts';
import { lasting, modelOf, namespaceOf } from '../../../harness/kube/manifests/model/subject-model.ts';
import { type ChangeUnderLoad, quietStatuses } from '../../../harness/observe/predicates/live/request-log.ts';
import { endpointsNeverBelow } from '../../../harness/observe/predicates/live/traffic.ts';
import {
  type HttpService,
  httpServicesOf,
  whyUpdateInterrupts,
} from '../../../harness/observe/predicates/rendered/http-services.ts';
import { podEvicted } from '../../../harness/observe/waits/pod-evicted.ts';
import { podGone } from '../../../harness/observe/waits/pod-end.ts';
import { rolledOut } from '../../../harness/observe/waits/rollout.ts';
import { asAdvice } from '../../../harness/run/suite/advice.ts';
import { expect } from '../../../harness/run/suite/assertions.ts';
import { notAboutSubject } from '../../../harness/run/suite/not-about-subject.ts';
import type { Release } from '../../../harness/run/suite/release.ts';
import { requirement } from '../kit.ts';
import { lastingOf, runningWorkloads } from '../live-workloads.ts';
import { startServiceLoad } from '../load/service-load.ts';
import { restrictsIngress } from '../network-policies.ts';
import { drainBeside, noRequestLostBeside, startRollingControl } from '../rolling-control.ts';

const NAMESPACE = 'default';
/** Requests before and after the updates, so that the load covers all of them. */
const MARGIN = 20;
const ROLLOUT_MS = 600_000;

requirement(
  'X-24',
  'answers every request while it is updated',
  { release: 'none', disruptive: true, timeoutMs: 900_000 },
  async ({ lab, kube, observe }) => {
    const { objects } = await lab.render({ namespace: NAMESPACE });
    needUpdatable(lasting(modelOf(objects, { namespace: NAMESPACE })), observe);
    const release = await lab.install();
    const services = updatable(lastingOf(release));
    const namespace = await lab.namespace();
    const containers = services.flatMap(({ workload }) => workload.template.spec.containers);
    const control = await startRollingControl(lab, namespace, drainBeside(containers));
    const targets = await Promise.all(services.map((one) => targetOf(release, one)));
    const load = await startServiceLoad(lab, namespace, [control.target, ...targets]);
    await load.goOn(MARGIN);
    const changes: ChangeUnderLoad[] = [];
    for (const workload of new Set(services.map((one) => one.workload))) {
      changes.push({ after: await load.sent(), says: `${workload.title} was updated` });
      const ref = { name: workload.object.metadata.name, namespace: namespaceOf(workload.object, release) };
      const annotations = { 'kindproof.dev/updated': new Date().toISOString() };
      await kube.patch('Deployment', ref, { spec: { template: { metadata: { annotations } } } });
      await Promise.all([
        control.update(),
        rolledOut(kube, { kind: 'Deployment', ...ref }, { timeoutMs: ROLLOUT_MS }),
      ]);
    }
    await load.goOn(MARGIN);
    const [controlLog = { requests: [] }, ...logs] = await load.stop();
    let answering = 0;
    // Promises first: the first failure ends the check.
    for (const [index, { service, workload }] of services.entries()) {
      const log = logs[index] ?? { requests: [] };
      const title = `Service ${service.metadata.name}`;
      if (quietStatuses(log, changes).length === 0) {
        observe(`${title} answers no plain HTTP: ${log.requests[0]?.outcome ?? 'nothing was sent'}`);
        continue;
      }
      answering += 1;
      const result = noRequestLostBeside(controlLog, { log, title }, changes);
      await level(workload, () => expect(result).toHold());
    }
    if (answering === 0) throw new DoesNotFit('no Service of the chart answers plain HTTP requests');
  },
);

/** Those of workloads with several replicas first. */
function updatable(workloads: readonly ModelWorkload[]): HttpService[] {
  return workloads
    .filter((workload) => whyUpdateInterrupts(workload) === undefined && !restrictsIngress(workload))
    .flatMap(httpServicesOf)
    .sort((one, other) => leastOf(other.workload) - leastOf(one.workload));
}

/** @throws DoesNotFit with the reason of the first workload that serves HTTP */
function needUpdatable(workloads: readonly ModelWorkload[], observe: (text: string) => void): void {
  const serving = workloads.filter((workload) => httpServicesOf(workload).length > 0);
  if (serving.length === 0) throw new DoesNotFit('no workload of the chart serves HTTP behind a Service');
  const excused = serving.flatMap((workload) => {
    const why = restrictsIngress(workload)
      ? 'has a NetworkPolicy that may deny the requests of the check'
      : whyUpdateInterrupts(workload);
    return why === undefined ? [] : [`${workload.title} ${why}`];
  });
  if (excused.length === serving.length) throw new DoesNotFit(excused.join('; '));
  excused.forEach(observe);
}

async function targetOf(
  release: Release,
  { service, port, path }: HttpService,
): Promise<{ host: string; port: number; path: string }> {
  const ref = { name: service.metadata.name, namespace: namespaceOf(service, release) };
  const live = await release.kube.get('Service', ref);
  return { host: live?.spec.clusterIP ?? '', port, path };
}

function leastOf({ replicas }: ModelWorkload): number {
  return replicas?.least ?? 1;
}

/** With one replica, keeping up the service is advice. */
function level<T>(workload: ModelWorkload, body: () => Promise<T>): Promise<T> {
  return leastOf(workload) >= 2 ? body() : asAdvice(`${workload.title} has one replica`, body);
}

requirement(
  'X-26',
  'lets its nodes be drained, and serves meanwhile',
  { release: 'none', disruptive: true, timeoutMs: 600_000 },
  async ({ lab, kube, observe }) => {
    const { objects } = await lab.render({ namespace: NAMESPACE });
    if (!lasting(modelOf(objects, { namespace: NAMESPACE })).some(isDrained))
      throw new DoesNotFit('the chart renders no Deployment and no StatefulSet with replicas');
    const release = await lab.install();
    const drained = (await runningWorkloads(release))
      .filter(({ model }) => isDrained(model))
      .sort((one, other) => leastOf(other.model) - leastOf(one.model));
    const from = (await release.settleRecording()).changes.length;
    const evicted = drained.flatMap(({ model, pods }) => pods.slice(0, 1).map((pod) => ({ model, pod })));
    // All at once, as a drain does. Promises are judged first: the first failure ends the check.
    const ends = await Promise.allSettled(evicted.map(({ pod }) => evict(pod)));
    for (const [index, { model, pod }] of evicted.entries()) {
      const end = ends[index];
      await level(model, () =>
        end?.status === 'rejected' ? Promise.reject(end.reason as Error) : Promise.resolve(),
      );
      expect(end?.status, `eviction of ${pod.metadata.name}`).toBe('fulfilled');
      observe(`${model.title}: ${pod.metadata.name} was evicted`);
    }
    await release.rolledOut(ROLLOUT_MS);
    const recording = await release.settleRecording();
    for (const { model } of drained.filter((one) => leastOf(one.model) >= 2)) {
      for (const { metadata } of model.services) {
        const trace = recording.endpointsOf(metadata.name);
        const before = trace.findLast(({ seq }) => seq <= from)?.ready.size ?? 0;
        // One of several that is ready may be the leader, and the others wait for it.
        if (before < 2) continue;
        const result = endpointsNeverBelow(trace, 1, { from });
        await expect({ ...result, expected: `Service ${metadata.name} keeps a ready endpoint` }).toHold();
      }
    }

    async function evict(pod: Pod): Promise<void> {
      await podEvicted(kube, pod);
      // How it ends is X-25's question.
      await notAboutSubject('E_NOT_STOPPED', 'an evicted pod does not end', () => podGone(kube, pod));
    }
  },
);

/** A drain leaves the pods of a DaemonSet, and refuses those of nobody. */
function isDrained({ object, replicas }: ModelWorkload): boolean {
  return (object.kind === 'Deployment' || object.kind === 'StatefulSet') && (replicas?.least ?? 1) > 0;
}
