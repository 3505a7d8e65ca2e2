/** A drained node, and what clients of the systems on it notice. */
import { CheckFailure, DoesNotFit } from '../../harness/core/errors.ts';
import type { KubeClient } from '../../harness/kube/api/client.ts';
import type { Node } from '../../harness/kube/api/types.ts';
import type { ModelWorkload } from '../../harness/kube/manifests/model/model.ts';
import { lasting, modelOf } from '../../harness/kube/manifests/model/subject-model.ts';
import { mayUse } from '../../harness/observe/diagnose/node-fit.ts';
import { quietStatuses } from '../../harness/observe/predicates/live/request-log.ts';
import { endpointsNeverBelow } from '../../harness/observe/predicates/live/traffic.ts';
import { type HttpService, httpServicesOf } from '../../harness/observe/predicates/rendered/http-services.ts';
import { claimsFitReplicas } from '../../harness/observe/predicates/rendered/shared-claims.ts';
import type { PredicateResult } from '../../harness/observe/predicates/result.ts';
import { expect } from '../../harness/run/suite/assertions.ts';
import type { CheckContext } from '../../harness/run/suite/check.ts';
import type { Release } from '../../harness/run/suite/release.ts';
import { cordon, drained, tiesTo } from './drained-node.ts';
import { leastOf } from './least-replicas.ts';
import { type LiveWorkload, runningWorkloads } from './live-workloads.ts';
import { startServiceLoad, targetOf } from './load/service-load.ts';
import { admit } from './network-policies.ts';
import { drainBeside, noRequestLostBeside, startRollingControl } from './rolling-control.ts';

/** Requests before and after the drain, so that the load covers all of it. */
const MARGIN = 20;
const ROLLOUT_MS = 600_000;

/** A workload that is meant to serve on, with the release it belongs to. */
interface Serving extends LiveWorkload {
  release: Release;
}

/** Nodes that take pods. One that was cordoned before belongs to whoever did that. */
export async function schedulable(kube: KubeClient): Promise<Node[]> {
  return (await kube.list('Node')).filter(({ spec }) => spec.unschedulable !== true);
}

/**
 * Drains the node with the most pods of one serving workload, under load, of the pods of these releases. All workloads of two replicas or
 * more behind a Service have to serve on: no request is lost beside a control that is drained with them, and their Services keep endpoints.
 *
 * @returns titles of the workloads that serve
 * @throws CheckFailure `E_SELECTED_NOTHING` when none of them has a pod
 */
export async function serveThroughDrain(
  releases: readonly Release[],
  { lab, kube, observe, note }: Pick<CheckContext, 'lab' | 'kube' | 'observe' | 'note'>,
): Promise<string[]> {
  const nodes = await schedulable(kube);
  const running = (await Promise.all(releases.map(evictableOf))).flat();
  const serving = running.filter(({ model }) => isServing(model) && nodesFor(model, nodes).length > 1);
  const node = busiestOf(serving, nodes);
  const here = running.flatMap(({ pods }) => pods).filter(({ spec }) => spec.nodeName === node);
  const ties = await tiesTo(kube, node, { pods: here, nodes });
  ties.forEach(({ says }) => note(says));

  const services = serving.flatMap((one) => calledServices(one.model).map((called) => ({ ...one, called })));
  const outside = await lab.namespace();
  for (const release of releases) await admit(lab, release, outside);
  const containers = serving.flatMap(({ model }) => model.template.spec.containers);
  const control = await startRollingControl(lab, outside, drainBeside(containers));
  const targets = await Promise.all(services.map(({ release, called }) => targetOf(release, called)));
  const load = await startServiceLoad(lab, outside, [control.target, ...targets]);
  await load.goOn(MARGIN);
  const from = new Map<Release, number>();
  for (const release of releases) from.set(release, (await release.settleRecording()).changes.length);
  const changes = [{ after: await load.sent(), says: `node ${node} was drained` }];
  const uncordon = await cordon(lab, node);
  const [left] = await Promise.all([drained(kube, here, ties), control.leave(node)]);
  left.forEach(note);
  await load.goOn(MARGIN);
  await uncordon();
  for (const release of releases) await release.rolledOut(ROLLOUT_MS);
  await load.goOn(MARGIN);
  const [controlLog = { requests: [] }, ...logs] = await load.stop();
  observe(`node ${node} was drained of ${here.map(({ metadata }) => metadata.name).join(', ')}`);

  // Pods of two systems may have the same name in different namespaces.
  const because = (workload: Serving): string[] => {
    const own = ties.filter(({ pod, namespace }) =>
      workload.pods.some(({ metadata }) => metadata.name === pod && metadata.namespace === namespace),
    );
    return [...own.map(({ says }) => says), ...sharedClaims(workload)];
  };
  for (const [index, { called, ...workload }] of services.entries()) {
    const log = logs[index] ?? { requests: [] };
    const title = `Service ${called.service.metadata.name}`;
    if (quietStatuses(log, changes).length === 0)
      observe(`${title} answers no plain HTTP: ${log.requests[0]?.outcome ?? 'nothing was sent'}`);
    else
      await expect(
        withCauses(noRequestLostBeside(controlLog, { log, title }, changes), because(workload)),
      ).toHold();
  }
  for (const workload of serving)
    for (const result of await keptEndpoints(
      workload.release,
      workload.model,
      from.get(workload.release) ?? 0,
    ))
      await expect(withCauses(result, because(workload))).toHold();
  return serving.map(({ model }) => model.title);
}

async function evictableOf(release: Release): Promise<Serving[]> {
  if (!lasting(modelOf(release.objects, release)).some(isEvictable)) return [];
  const running = await runningWorkloads(release);
  return running.filter(({ model }) => isEvictable(model)).map((one) => ({ ...one, release }));
}

/** Meant to serve without a break: two replicas or more, behind a Service. */
function isServing(workload: ModelWorkload): boolean {
  return isEvictable(workload) && leastOf(workload) >= 2 && workload.services.length > 0;
}

/** Nodes that its pods may use. */
function nodesFor({ template }: ModelWorkload, nodes: readonly Node[]): Node[] {
  return nodes.filter((node) => mayUse(template.spec, node));
}

/** @throws DoesNotFit when nothing is meant to serve on through a drain, or no other node is there for its pods */
export function needServing(workloads: readonly ModelWorkload[], nodes: readonly Node[]): void {
  const serving = workloads.filter(isServing);
  if (serving.length === 0)
    throw new DoesNotFit('the chart renders no workload of two replicas or more behind a Service');
  if (serving.every((workload) => nodesFor(workload, nodes).length < 2))
    throw new DoesNotFit(
      `there is no second node for the pods of ${serving.map(({ title }) => title).join(', ')}`,
    );
}

/** The node with the most pods of one of them. */
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
  return isProbed ? httpServicesOf(workload) : [];
}

/** Claims that its pods share although only one node can mount them. */
function sharedClaims({ model, pods }: LiveWorkload): string[] {
  const nodes = [...new Set(pods.flatMap(({ spec }) => spec.nodeName ?? []))];
  return claimsFitReplicas([{ workload: model, nodes }]).details ?? [];
}

function withCauses(result: PredicateResult, because: readonly string[]): PredicateResult {
  return result.ok ? result : { ...result, actual: [result.actual, ...because].join('; ') };
}

/** For each Service of the workload with several ready endpoints, that it kept one. */
export async function keptEndpoints(
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
export function isEvictable({ object, replicas }: ModelWorkload): boolean {
  return (object.kind === 'Deployment' || object.kind === 'StatefulSet') && (replicas?.least ?? 1) > 0;
}
