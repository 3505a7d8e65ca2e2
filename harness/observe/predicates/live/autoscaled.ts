/** What the controller says about HorizontalPodAutoscalers, and what their pods have to request. */
import { z } from 'zod';
import { conditionsOf } from '../../../kube/api/conditions.ts';
import type { KubeObject, Pod } from '../../../kube/api/types.ts';
import { allContainers, nameOf } from '../../../kube/manifests/objects.ts';

const resource = z.looseObject({
  name: z.string(),
  container: z.string().optional(),
  target: z.looseObject({ type: z.string() }),
});
const autoscaler = z.looseObject({
  spec: z.looseObject({
    // Without metrics, the default is the utilization of cpu (HorizontalPodAutoscaler, autoscaling/v2).
    metrics: z
      .array(
        z.looseObject({
          type: z.string(),
          resource: resource.optional(),
          containerResource: resource.optional(),
        }),
      )
      .nullish(),
  }),
});

const scaleTarget = z.looseObject({
  spec: z.looseObject({
    // An absent apiVersion is that of the core group (CrossVersionObjectReference, autoscaling/v2).
    scaleTargetRef: z.looseObject({ apiVersion: z.string().default('v1'), kind: z.string() }),
  }),
});

interface Utilization {
  resource: string;
  /** Of all containers when absent. */
  container: string | undefined;
}

/** Its metrics that are relative to requests. */
function utilizations(object: KubeObject): Utilization[] {
  const { spec } = autoscaler.parse(object);
  if (!spec.metrics || spec.metrics.length === 0) return [{ resource: 'cpu', container: undefined }];
  return spec.metrics.flatMap(({ type, resource: ofPod, containerResource }) => {
    const one = type === 'ContainerResource' ? containerResource : ofPod;
    if (one?.target.type !== 'Utilization') return [];
    return [{ resource: one.name, container: one.container }];
  });
}

/** Whether it measures only what the API metrics.k8s.io has: other metrics come from programs that a cluster may lack. */
export function measuresResourcesOnly(object: KubeObject): boolean {
  const { metrics } = autoscaler.parse(object).spec;
  return (metrics ?? []).every(({ type }) => type === 'Resource' || type === 'ContainerResource');
}

/**
 * Containers without the request that the utilization is relative to. One of them is enough to make the metric fail.
 *
 * @param pods of its target: their requests may come from a LimitRange
 */
export function lackingRequests(object: KubeObject, pods: readonly Pod[]): string[] {
  const lacking = pods.flatMap(({ spec }) =>
    utilizations(object).flatMap(({ resource: name, container }) =>
      allContainers(spec)
        .filter(({ role }) => role === 'main' || role === 'sidecar')
        .map((entry) => entry.container)
        .filter((one) => container === undefined || one.name === container)
        .filter(({ resources }) => (resources?.requests?.[name] ?? resources?.limits?.[name]) === undefined)
        .map((one) => `container ${one.name} requests no ${name}, to which the utilization is relative`),
    ),
  );
  return [...new Set(lacking)].map((why) => `${nameOf(object)} cannot scale: ${why}`);
}

/** A condition of an autoscaler; `undefined` before its controller has looked at it. */
export function conditionOf(
  object: KubeObject | undefined,
  type: 'AbleToScale' | 'ScalingActive',
): { holds: boolean; reason: string; message: string } | undefined {
  const found = conditionsOf(object).find((one) => one.type === type);
  return (
    found && { holds: found.status === 'True', reason: found.reason ?? '', message: found.message ?? '' }
  );
}

/**
 * What the controller says about the target of an autoscaler.
 *
 * @returns `missing`: the cluster has none of that name; `unknown`: the controller cannot read it for another reason, or has not looked yet
 */
export function targetOf(object: KubeObject | undefined): {
  state: 'found' | 'missing' | 'unknown';
  says: string;
} {
  const able = conditionOf(object, 'AbleToScale');
  if (!able) return { state: 'unknown', says: 'the controller has not looked at it' };
  if (able.reason !== 'FailedGetScale') return { state: 'found', says: able.reason };
  const isMissing = /\bnot found\b/.test(able.message);
  return { state: isMissing ? 'missing' : 'unknown', says: able.message };
}

/** apiVersion and kind of what an autoscaler scales. */
export function scaledKind(object: KubeObject): { apiVersion: string; kind: string } {
  return scaleTarget.parse(object).spec.scaleTargetRef;
}
