/** The state of a workload, and why it has no pods. */
import { z } from 'zod';
import { conditionsOf } from '../../../kube/api/conditions.ts';
import type { KubeObject, Workload } from '../../../kube/api/types.ts';
import { updateMargins } from '../../../kube/manifests/update-margins.ts';
import type { Cause } from '../diagnosis.ts';
import { explainCreation } from './creation.ts';
import { HINT } from './hints.ts';
import { explainWebhook } from './webhook.ts';
import { clip, count } from '../../../core/wording.ts';
import type { Explanation, World } from '../world.ts';
import { eventsOf, eventTime, RANK } from '../world.ts';

/** "has 2 of 3 replicas available"; undefined for a complete workload. */
export function workloadState(workload: Workload): string | undefined {
  const status = workload.status ?? {};
  const seen = (status.observedGeneration ?? 0) >= (workload.metadata.generation ?? 0);
  switch (workload.kind) {
    case 'Deployment':
    case 'StatefulSet': {
      const wanted = workload.spec.replicas ?? 1;
      const available = status.availableReplicas ?? 0;
      const updated = status.updatedReplicas ?? 0;
      if (seen && available >= wanted && updated >= wanted) return undefined;
      // Without pods there is no older revision to update.
      const behind =
        updated < wanted && (status.replicas ?? 0) > 0
          ? `, ${updated} of ${wanted} updated to the latest revision`
          : '';
      const late = deadlineExceeded(workload) ? ', and its rollout exceeded progressDeadlineSeconds' : '';
      return `has ${available} of ${count(wanted, 'replica')} available${behind}${late}`;
    }
    case 'DaemonSet': {
      const wanted = status.desiredNumberScheduled ?? 0;
      const available = status.numberAvailable ?? 0;
      return seen && available >= wanted
        ? undefined
        : `is available on ${available} of ${count(wanted, 'node')}`;
    }
    case 'Job':
      return jobState(workload);
    default:
      return undefined;
  }
}

function deadlineExceeded(workload: Workload): boolean {
  return (
    workload.status?.conditions?.some(
      (c) => c.type === 'Progressing' && c.reason === 'ProgressDeadlineExceeded',
    ) ?? false
  );
}

function jobState(job: Workload): string | undefined {
  const failed = job.status?.conditions?.find((c) => c.type === 'Failed' && c.status === 'True');
  if (!failed) return undefined;
  if (failed.reason === 'BackoffLimitExceeded')
    return 'has failed: its pods failed more often than backoffLimit allows';
  if (failed.reason === 'DeadlineExceeded') return 'has failed: it ran longer than activeDeadlineSeconds';
  return `has failed: ${clip(failed.message ?? failed.reason ?? '')}`;
}

/**
 * Why the API server refuses the pods of a ReplicaSet, StatefulSet, DaemonSet or Job, from its FailedCreate event. Undefined if a pod was
 * created later.
 *
 * @param top the Deployment of a ReplicaSet, else the owner itself
 */
export function explainRefusal(owner: Workload, world: World, top = owner): Explanation | undefined {
  const events = eventsOf(world.events, owner);
  const refused = events.findLast((e) => e.reason === 'FailedCreate');
  const created = events.findLast((e) => e.reason === 'SuccessfulCreate');
  const condition = owner.status?.conditions?.find((c) => c.type === 'ReplicaFailure' && c.status === 'True');
  // The condition shows the present state; an event without it may be old.
  if (owner.kind === 'ReplicaSet' && !condition && !refused) return undefined;
  const message = condition?.message ?? refused?.message;
  if (message === undefined || (!condition && created && refused && eventTime(created) > eventTime(refused)))
    return undefined;
  const { says, upstream, hint } = explainCreation(message);
  const update = message.includes('exceeded quota:') ? surgeOfUpdate(top) : undefined;
  const webhook = explainWebhook(message, world);
  return {
    causes: [
      { object: `${owner.kind} ${owner.metadata.name}`, says },
      ...upstream,
      ...(update === undefined ? [] : [update]),
      ...(webhook?.causes ?? []),
    ],
    hint: update === undefined ? (webhook?.hint ?? hint) : HINT.quotaOfUpdate,
    rank: RANK.notCreated,
  };
}

/** The pods that a Deployment starts beyond its replicas, while the old ones run; undefined when it does not update. */
function surgeOfUpdate({ kind, metadata, spec, status = {} }: Workload): Cause | undefined {
  const wanted = spec.replicas ?? 1;
  const isUpdate = (status.updatedReplicas ?? 0) < wanted && (status.availableReplicas ?? 0) >= wanted;
  if (kind !== 'Deployment' || !isUpdate || wanted === 0) return undefined;
  const { maxSurge = '25%', maxUnavailable = '25%' } = (spec.strategy?.['rollingUpdate'] ?? {}) as {
    maxSurge?: number | string;
    maxUnavailable?: number | string;
  };
  const { surge } = updateMargins(spec.strategy, wanted);
  if (!(surge > 0)) return undefined;
  return {
    object: `Update of Deployment ${metadata.name}`,
    says: `starts ${count(surge, 'pod')} beyond its ${count(wanted, 'replica')} before it ends an old one (maxSurge ${maxSurge}, maxUnavailable ${maxUnavailable})`,
  };
}

const autoscaler = z.object({
  spec: z.object({ scaleTargetRef: z.object({ kind: z.string(), name: z.string() }) }),
});

/** An autoscaler without metrics or without a target. */
export function explainAutoscaler(object: KubeObject): Explanation | undefined {
  const parsed = autoscaler.safeParse(object);
  if (!parsed.success) return undefined;
  const { scaleTargetRef } = parsed.data.spec;
  const name = `HorizontalPodAutoscaler ${object.metadata.name}`;
  const bad = conditionsOf(object).find(
    (c) =>
      c.status === 'False' &&
      (c.type === 'ScalingActive' || c.type === 'AbleToScale') &&
      c.reason !== 'ScalingDisabled',
  );
  if (!bad) return undefined;
  const noTarget = bad.reason === 'FailedGetScale';
  const says = noTarget
    ? `cannot scale ${scaleTargetRef.kind} ${scaleTargetRef.name}: ${clip(bad.message ?? 'it does not exist')}`
    : `cannot scale: it gets no metrics (${bad.reason ?? ''})`;
  const upstream: Cause[] = noTarget ? [] : [{ object: name, says: clip(bad.message ?? '', 300) }];
  return {
    causes: [{ object: name, says }, ...upstream],
    hint: noTarget ? HINT.scaleTarget : HINT.metrics,
    rank: RANK.service,
  };
}
