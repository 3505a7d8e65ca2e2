/** Clients do not notice an update. The check works on a release of its own. */
import { DoesNotFit } from '../../../harness/core/errors.ts';
import type { ModelWorkload } from '../../../harness/kube/manifests/model/model.ts';
import { lasting, modelOf, namespaceOf } from '../../../harness/kube/manifests/model/subject-model.ts';
import { type ChangeUnderLoad, quietStatuses } from '../../../harness/observe/predicates/live/request-log.ts';
import {
  type HttpService,
  httpServicesOf,
  whyUpdateInterrupts,
} from '../../../harness/observe/predicates/rendered/http-services.ts';
import { rolledOut } from '../../../harness/observe/waits/rollout.ts';
import { expect } from '../../../harness/run/suite/assertions.ts';
import { requirement } from '../kit.ts';
import { leastOf, level } from '../least-replicas.ts';
import { lastingOf } from '../live-workloads.ts';
import { startServiceLoad, targetOf } from '../load/service-load.ts';
import { admit } from '../network-policies.ts';
import { drainBeside, noRequestLostBeside, startRollingControl } from '../rolling-control.ts';

const NAMESPACE = 'default';
/** Requests before and after the updates, so that the load covers all of them. */
const MARGIN = 20;
const ROLLOUT_MS = 600_000;

requirement(
  'X-24',
  'answers every request while it is updated',
  { release: 'none', disruptive: true, timeoutMs: 900_000, typicalMs: 140_000 },
  async ({ lab, kube, observe }) => {
    const { objects } = await lab.render({ namespace: NAMESPACE });
    needUpdatable(lasting(modelOf(objects, { namespace: NAMESPACE })), observe);
    const release = await lab.install();
    const services = updatable(lastingOf(release));
    const namespace = await lab.namespace();
    await admit(lab, release, namespace);
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
    .filter((workload) => whyUpdateInterrupts(workload) === undefined)
    .flatMap(httpServicesOf)
    .sort((one, other) => leastOf(other.workload) - leastOf(one.workload));
}

/** @throws DoesNotFit with the reason of the first workload that serves HTTP */
function needUpdatable(workloads: readonly ModelWorkload[], observe: (text: string) => void): void {
  const serving = workloads.filter((workload) => httpServicesOf(workload).length > 0);
  if (serving.length === 0) throw new DoesNotFit('no workload of the chart serves HTTP behind a Service');
  const excused = serving.flatMap((workload) => {
    const why = whyUpdateInterrupts(workload);
    return why === undefined ? [] : [`${workload.title} ${why}`];
  });
  if (excused.length === serving.length) throw new DoesNotFit(excused.join('; '));
  excused.forEach(observe);
}
