/** Nodes can be drained, and clients do not notice it. Each check works on a release of its own. */
import { CheckFailure, DoesNotFit } from '../../../harness/core/errors.ts';
import type { Node, Pod } from '../../../harness/kube/api/types.ts';
import type { ModelWorkload } from '../../../harness/kube/manifests/model/model.ts';
import { lasting, modelOf } from '../../../harness/kube/manifests/model/subject-model.ts';
import { mayUse } from '../../../harness/observe/diagnose/node-fit.ts';
import { quietStatuses } from '../../../harness/observe/predicates/live/request-log.ts';
import { endpointsNeverBelow } from '../../../harness/observe/predicates/live/traffic.ts';
import type { PredicateResult } from '../../../harness/observe/predicates/result.ts';
import {
  type HttpService,
  httpServicesOf,
} from '../../../harness/observe/predicates/rendered/http-services.ts';
import { claimsFitReplicas } from '../../../harness/observe/predicates/rendered/shared-claims.ts';
import { podEvicted } from '../../../harness/observe/waits/pod-evicted.ts';
import { podGone } from '../../../harness/observe/waits/pod-end.ts';
import { expect } from '../../../harness/run/suite/assertions.ts';
import { notAboutSubject } from '../../../harness/run/suite/not-about-subject.ts';
import type { Release } from '../../../harness/run/suite/release.ts';
import { cordon, drained, tiesTo } from '../drained-node.ts';
import { requirement } from '../kit.ts';
import { leastOf, level } from '../least-replicas.ts';
import { type LiveWorkload, runningWorkloads } from '../live-workloads.ts';
import { startServiceLoad, targetOf } from '../load/service-load.ts';
import { restrictsIngress } from '../network-policies.ts';
import { drainBeside, noRequestLostBeside, startRollingControl } from '../rolling-control.ts';

const NAMESPACE = 'default';
/** Requests before and after the drain, so that the load covers all of it. */
const MARGIN = 20;
const ROLLOUT_MS = 600_000;

requirement(
  'X-26',
  'lets its pods be evicted, and serves meanwhile',
  { release: 'none', disruptive: true, timeoutMs: 600_000, typicalMs: 80_000 },
  async ({ lab, kube, observe }) => {
    const { objects } = await lab.render({ namespace: NAMESPACE });
    if (!lasting(modelOf(objects, { namespace: NAMESPACE })).some(isEvictable))
      throw new DoesNotFit('the chart renders no Deployment and no StatefulSet with replicas');
    const release = await lab.install();
    const evictable = (await runningWorkloads(release))
      .filter(({ model }) => isEvictable(model))
      .sort((one, other) => leastOf(other.model) - leastOf(one.model));
    const from = (await release.settleRecording()).changes.length;
    const evicted = evictable.flatMap(({ model, pods }) => pods.slice(0, 1).map((pod) => ({ model, pod })));
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
    for (const { model } of evictable.filter((one) => leastOf(one.model) >= 2))
      for (const result of await keptEndpoints(release, model, from)) await expect(result).toHold();

    async function evict(pod: Pod): Promise<void> {
      await podEvicted(kube, pod);
      // How it ends is X-25's question.
      await notAboutSubject('E_NOT_STOPPED', 'an evicted pod does not end', () => podGone(kube, pod));
    }
  },
);

requirement(
  'X-07',
  'keeps serving while one of its nodes is drained',
  { release: 'none', disruptive: true, exclusive: true, needs: ['node-cordon'], timeoutMs: 900_000 },
  async ({ lab, kube, observe, note }) => {
    const nodes = (await kube.list('Node')).filter(({ spec }) => spec.unschedulable !== true);
    const { objects } = await lab.render({ namespace: NAMESPACE });
    needServing(lasting(modelOf(objects, { namespace: NAMESPACE })), nodes);
    const release = await lab.install();
    const running = (await runningWorkloads(release)).filter(({ model }) => isEvictable(model));
    const serving = running.filter(({ model }) => isServing(model) && nodesFor(model, nodes).length > 1);
    const node = busiestOf(serving, nodes);
    const here = running.flatMap(({ pods }) => pods).filter(({ spec }) => spec.nodeName === node);
    const ties = await tiesTo(kube, node, { pods: here, nodes });
    ties.forEach(({ says }) => note(says));

    const services = serving.flatMap(({ model }) => calledServices(model));
    const outside = await lab.namespace();
    const containers = serving.flatMap(({ model }) => model.template.spec.containers);
    const control = await startRollingControl(lab, outside, drainBeside(containers));
    const targets = await Promise.all(services.map((one) => targetOf(release, one)));
    const load = await startServiceLoad(lab, outside, [control.target, ...targets]);
    await load.goOn(MARGIN);
    const from = (await release.settleRecording()).changes.length;
    const changes = [{ after: await load.sent(), says: `node ${node} was drained` }];
    const uncordon = await cordon(lab, node);
    const [left] = await Promise.all([drained(kube, here, ties), control.leave(node)]);
    left.forEach(note);
    await load.goOn(MARGIN);
    await uncordon();
    await release.rolledOut(ROLLOUT_MS);
    await load.goOn(MARGIN);
    const [controlLog = { requests: [] }, ...logs] = await load.stop();
    observe(`node ${node} was drained of ${here.map(({ metadata }) => metadata.name).join(', ')}`);

    const because = (workload: ModelWorkload): string[] => {
      const own = serving.filter(({ model }) => model === workload);
      const names = own.flatMap(({ pods }) => pods.map(({ metadata }) => metadata.name));
      return [...ties.filter(({ pod }) => names.includes(pod)).map(({ says }) => says), ...sharedClaims(own)];
    };
    for (const [index, { service, workload }] of services.entries()) {
      const log = logs[index] ?? { requests: [] };
      const title = `Service ${service.metadata.name}`;
      if (quietStatuses(log, changes).length === 0)
        observe(`${title} answers no plain HTTP: ${log.requests[0]?.outcome ?? 'nothing was sent'}`);
      else
        await expect(
          withCauses(noRequestLostBeside(controlLog, { log, title }, changes), because(workload)),
        ).toHold();
    }
    for (const { model } of serving)
      for (const result of await keptEndpoints(release, model, from))
        await expect(withCauses(result, because(model))).toHold();
  },
);

/** Meant to serve without a break: two replicas or more, behind a Service. */
function isServing(workload: ModelWorkload): boolean {
  return isEvictable(workload) && leastOf(workload) >= 2 && workload.services.length > 0;
}

/** Nodes that its pods may use. */
function nodesFor({ template }: ModelWorkload, nodes: readonly Node[]): Node[] {
  return nodes.filter((node) => mayUse(template.spec, node));
}

/** @throws DoesNotFit when nothing is meant to serve on through a drain, or no other node is there for its pods */
function needServing(workloads: readonly ModelWorkload[], nodes: readonly Node[]): void {
  const serving = workloads.filter(isServing);
  if (serving.length === 0)
    throw new DoesNotFit('the chart renders no workload of two replicas or more behind a Service');
  if (serving.every((workload) => nodesFor(workload, nodes).length < 2))
    throw new DoesNotFit(
      `there is no second node for the pods of ${serving.map(({ title }) => title).join(', ')}`,
    );
}

/** The node with the most pods of one of them. One that was cordoned before belongs to whoever did that. */
function busiestOf(serving: readonly LiveWorkload[], nodes: readonly Node[]): string {
  const counts = nodes.map(({ metadata: { name } }) => ({
    node: name,
    count: Math.max(
      0,
      ...serving.map(({ pods }) => pods.filter(({ spec }) => spec.nodeName === name).length),
    ),
  }));
  const [first] = counts.toSorted((one, other) => other.count - one.count);
  if (first && first.count > 0) return first.node;
  throw new CheckFailure('E_SELECTED_NOTHING', 'no workload that serves has a pod');
}

/** Services whose requests say something: a pod that nobody probes may get some before it can answer. */
function calledServices(workload: ModelWorkload): HttpService[] {
  const isProbed = workload.template.spec.containers.some(({ readinessProbe }) => readinessProbe);
  return isProbed && !restrictsIngress(workload) ? httpServicesOf(workload) : [];
}

/** Claims that several pods share although only one node can mount them. */
function sharedClaims(serving: readonly LiveWorkload[]): string[] {
  const placements = serving.map(({ model, pods }) => ({
    workload: model,
    nodes: [...new Set(pods.flatMap(({ spec }) => spec.nodeName ?? []))],
  }));
  return claimsFitReplicas(placements).details ?? [];
}

function withCauses(result: PredicateResult, because: readonly string[]): PredicateResult {
  return result.ok ? result : { ...result, actual: [result.actual, ...because].join('; ') };
}

/** For each Service of the workload with several ready endpoints, that it kept one. */
async function keptEndpoints(
  release: Release,
  { services }: ModelWorkload,
  from: number,
): Promise<PredicateResult[]> {
  const recording = await release.settleRecording();
  return services.flatMap(({ metadata }) => {
    const trace = recording.endpointsOf(metadata.name);
    const before = trace.findLast(({ seq }) => seq <= from)?.ready.size ?? 0;
    // One of several that is ready may be the leader, and the others wait for it.
    if (before < 2) return [];
    const result = endpointsNeverBelow(trace, 1, { from });
    return [{ ...result, expected: `Service ${metadata.name} keeps a ready endpoint` }];
  });
}

/** A drain leaves the pods of a DaemonSet, and refuses those of nobody. */
function isEvictable({ object, replicas }: ModelWorkload): boolean {
  return (object.kind === 'Deployment' || object.kind === 'StatefulSet') && (replicas?.least ?? 1) > 0;
}
