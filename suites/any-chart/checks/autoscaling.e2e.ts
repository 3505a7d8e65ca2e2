/** Autoscalers find what they scale and measure, and what they choose outlives an upgrade. */
import { DoesNotFit, InfrastructureError } from '../../../harness/core/errors.ts';
import { count } from '../../../harness/core/wording.ts';
import type { KubeObject, Pod, Workload } from '../../../harness/kube/api/types.ts';
import { field, nameOf, ofKind } from '../../../harness/kube/manifests/objects.ts';
import type { ModelWorkload } from '../../../harness/kube/manifests/model/model.ts';
import { lasting, namespaceOf } from '../../../harness/kube/manifests/model/subject-model.ts';
import type { ManifestPatch } from '../../../harness/kube/manifests/patch.ts';
import {
  conditionOf,
  lackingRequests,
  measuresResourcesOnly,
  scaledKind,
  targetOf,
} from '../../../harness/observe/predicates/live/autoscaled.ts';
import { nothingWrong, type PredicateResult } from '../../../harness/observe/predicates/result.ts';
import { eventually } from '../../../harness/observe/waits/eventually.ts';
import { expect } from '../../../harness/run/suite/assertions.ts';
import { CheckSkipped } from '../../../harness/run/suite/check.ts';
import { notAboutSubject } from '../../../harness/run/suite/not-about-subject.ts';
import type { Release } from '../../../harness/run/suite/release.ts';
import { namespaced } from '../dry-run.ts';
import { requirement } from '../kit.ts';
import { modelOfRelease, readWorkloads } from '../live-workloads.ts';

/** The controller decides every 15 s, later on a busy machine. */
const DECIDED_MS = 120_000;
/** Until the metrics of new pods have been collected twice. */
const MEASURED_MS = 180_000;
const AUTOSCALER = { apiVersion: 'autoscaling/v2', kind: 'HorizontalPodAutoscaler' };

requirement(
  'X-27',
  'finds what each autoscaler scales, and its pods request what is measured',
  async ({ release, observe }) => {
    const complaints: string[] = [];
    let judged = 0;
    for (const autoscaler of autoscalersOf(release)) {
      const name = nameOf(autoscaler);
      const scaled = scaledKind(autoscaler);
      if ((await namespaced(release.kube, scaled)) === undefined) {
        observe(
          `${name} scales a ${scaled.kind} (${scaled.apiVersion}), a kind that the cluster does not serve`,
        );
        continue;
      }
      const { state, says } = await decidedTarget(release, autoscaler);
      if (state === 'unknown') throw noController(name, says);
      judged += 1;
      observe(`${name}: ${says}`);
      if (state === 'missing') {
        complaints.push(`${name} has no target: ${says}`);
        continue;
      }
      const pods = await podsOf(release, autoscaler);
      complaints.push(...lackingRequests((await live(release, autoscaler)) ?? autoscaler, pods));
      observe(
        pods.length > 0
          ? `${name}: the requests of ${count(pods.length, 'pod')} were looked at`
          : `${name}: its pods come from no rendered workload, so their requests were not looked at`,
      );
    }
    if (judged === 0)
      throw new DoesNotFit('every autoscaler of the chart scales a kind that the cluster does not serve');
    await expect(
      nothingWrong('every autoscaler has a target, whose pods request what is measured', complaints),
    ).toHold();
  },
);

/** What the controller says when it has looked, and once more: it may have looked before the target existed. */
async function decidedTarget(release: Release, autoscaler: KubeObject): Promise<ReturnType<typeof targetOf>> {
  const look = (wrong: readonly string[]) => async (): Promise<PredicateResult> => {
    const { state, says } = targetOf(await live(release, autoscaler));
    return nothingWrong(`the target of ${nameOf(autoscaler)}`, wrong.includes(state) ? [says] : []);
  };
  await eventually(look(['unknown']), { timeoutMs: DECIDED_MS });
  // Its next look is 15 s later.
  await eventually(look(['unknown', 'missing']), { timeoutMs: 40_000 });
  return targetOf(await live(release, autoscaler));
}

/** Without the controller, or when it cannot work, nothing is known about the chart. */
function noController(autoscaler: string, says: string): InfrastructureError {
  return new InfrastructureError('E_NO_AUTOSCALING', `nothing is known about ${autoscaler}: ${says}`, {
    hint: 'Check that kube-controller-manager runs, and has time to work.',
  });
}

requirement(
  'X-27',
  'gets the metrics that its autoscalers ask for',
  { needs: ['metrics'], timeoutMs: 420_000 },
  async ({ release, observe }) => {
    const autoscalers = autoscalersOf(release);
    const measured = autoscalers.filter(measuresResourcesOnly);
    for (const other of autoscalers.filter((one) => !measured.includes(one)))
      observe(`${nameOf(other)} measures what only a program beside the chart can tell`);
    if (measured.length === 0) throw new DoesNotFit('no autoscaler of the chart measures cpu or memory only');
    let judged = 0;
    for (const autoscaler of measured) {
      const name = nameOf(autoscaler);
      const { state, says } = targetOf(await live(release, autoscaler));
      if (state === 'missing') {
        observe(`${name} has no target: ${says}`);
        continue;
      }
      judged += 1;
      const active = async (): Promise<PredicateResult> => {
        const found = conditionOf(await live(release, autoscaler), 'ScalingActive');
        // With 0 replicas the autoscaler does nothing.
        const isFine = found?.holds === true || found?.reason === 'ScalingDisabled';
        const complaints = isFine ? [] : [`${name}: ${found?.message ?? 'not looked at yet'}`];
        return {
          ...nothingWrong('every autoscaler has its metrics', complaints),
          observed: [`${name}: ${found?.reason ?? ''}`],
        };
      };
      const result = await eventually(active, { timeoutMs: MEASURED_MS });
      if (!result.ok) {
        if (!conditionOf(await live(release, autoscaler), 'ScalingActive'))
          throw noController(name, 'the controller says nothing about its metrics');
        await needPodMetrics(release, await podsOf(release, autoscaler));
      }
      await expect(result).toHold();
    }
    if (judged === 0) throw new DoesNotFit('no autoscaler of the chart has a target');
  },
);

requirement(
  'X-27',
  'keeps the number of replicas that an autoscaler chose when it is upgraded',
  { disruptive: true, exclusive: true, timeoutMs: 600_000 },
  async ({ release, lab, observe }) => {
    autoscalersOf(release);
    const scaled = lasting(modelOfRelease(release)).filter(
      ({ autoscaler, replicas }) => autoscaler && replicas && replicas.most > replicas.least,
    );
    if (scaled.length === 0) throw new DoesNotFit('no autoscaler of the chart has a choice');
    // A higher minimum makes the autoscaler choose without load. The second upgrade has it, too: it is the same as the first.
    const patches = scaled.map(({ autoscaler, replicas }): ManifestPatch => ({
      target: { kind: 'HorizontalPodAutoscaler', name: autoscaler?.metadata.name ?? '' },
      ops: [{ op: 'add', path: '/spec/minReplicas', value: (replicas?.least ?? 1) + 1 }],
    }));
    lab.defer('put the autoscalers back', () => lab.upgrade(release, {}));
    await lab.upgrade(release, { patches });
    for (const workload of scaled) {
      const chosen = (workload.replicas?.least ?? 1) + 1;
      const name = nameOf(workload.autoscaler ?? workload.object);
      await notAboutSubject('E_NO_AUTOSCALING', 'no controller acts', () =>
        release.until(
          `${name} to choose ${chosen} replicas`,
          async () => (await replicasOf(release, workload)) >= chosen,
          DECIDED_MS,
        ),
      );
    }
    await release.rolledOut();
    const from = (await release.settleRecording()).changes.length;
    await lab.upgrade(release, { patches });
    const { changes } = await release.settleRecording();
    for (const workload of scaled) {
      const chosen = (workload.replicas?.least ?? 1) + 1;
      const after = changes.filter(({ seq, object }) => seq >= from && isOf(object, workload.object));
      const reset = after.map(({ object }) => specReplicas(object)).filter((replicas) => replicas < chosen);
      const stated = field(workload.object['spec'], 'replicas');
      const why = typeof stated === 'number' ? `, because it renders replicas: ${stated}` : '';
      await expect(
        nothingWrong(
          `an upgrade leaves ${workload.title} the replicas that its autoscaler chose`,
          [...new Set(reset)].map((replicas) => `it was reset from ${chosen} to ${replicas}${why}`),
        ),
      ).toHold();
      observe(`${workload.title} had ${chosen} replicas before and after an upgrade`);
    }
  },
);

/** @throws DoesNotFit without one */
function autoscalersOf(release: Release): KubeObject[] {
  const found = ofKind(release.objects, 'HorizontalPodAutoscaler');
  if (found.length > 0) return found;
  throw new DoesNotFit('the chart renders no HorizontalPodAutoscaler');
}

/** In the version that has conditions, whichever was rendered. */
function live(release: Release, autoscaler: KubeObject): Promise<KubeObject | undefined> {
  const namespace = namespaceOf(autoscaler, release);
  return release.kube.get(AUTOSCALER, { name: autoscaler.metadata.name, namespace });
}

/** Of what it scales; empty when that is not rendered. */
async function podsOf(release: Release, autoscaler: KubeObject): Promise<Pod[]> {
  const targets = modelOfRelease(release).workloads.filter((one) => one.autoscaler === autoscaler);
  return (await readWorkloads(release, targets)).flatMap(({ pods }) => pods);
}

/** @throws CheckSkipped when metrics-server has no metrics of these pods either, which says nothing about the chart */
async function needPodMetrics(release: Release, pods: readonly Pod[]): Promise<void> {
  if (pods.length === 0)
    throw new CheckSkipped(
      'the pods of the autoscaler come from no rendered workload, so their metrics are not known',
    );
  const namespace = pods[0]?.metadata.namespace ?? release.namespace;
  const metrics = await release.kube.list(
    { apiVersion: 'metrics.k8s.io/v1beta1', kind: 'PodMetrics' },
    { namespace },
  );
  const known = new Set(metrics.map(({ metadata }) => metadata.name));
  const without = pods.find(({ metadata }) => !known.has(metadata.name));
  if (without)
    throw new CheckSkipped(`the cluster has metrics of its nodes, and none of pod ${without.metadata.name}`);
}

async function replicasOf(release: Release, { object }: ModelWorkload): Promise<number> {
  const { apiVersion, kind, metadata } = object;
  const found = await release.kube.get(
    { apiVersion, kind },
    { name: metadata.name, namespace: namespaceOf(object, release) },
  );
  return found ? specReplicas(found) : 0;
}

function specReplicas(object: KubeObject): number {
  return (object as Workload).spec.replicas ?? 1;
}

function isOf(changed: KubeObject, { kind, metadata }: KubeObject): boolean {
  return changed.kind === kind && changed.metadata.name === metadata.name;
}
