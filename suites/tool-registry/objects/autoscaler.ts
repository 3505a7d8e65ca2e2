/** The documents' autoscaler: `kubectl autoscale deployment tool-registry-api --cpu-percent=70 --min=3 --max=10`. */
import { z } from 'zod';
import { CheckFailure } from '../../../harness/core/errors.ts';
import type { KubeClient } from '../../../harness/kube/api/client.ts';
import type { KubeObject } from '../../../harness/kube/api/types.ts';
import type { Lab } from '../../../harness/run/suite/lab.ts';
import { inShape } from '../../../harness/run/suite/shape.ts';
import { nameOf } from '../../../harness/kube/manifests/objects.ts';

const specSchema = z.object({
  scaleTargetRef: z.object({ kind: z.string(), name: z.string() }),
  minReplicas: z.int(),
  maxReplicas: z.int(),
  metrics: z.array(
    z.object({
      type: z.string(),
      resource: z
        .object({ name: z.string(), target: z.object({ averageUtilization: z.int().optional() }) })
        .optional(),
    }),
  ),
});

const statusSchema = z.object({
  currentReplicas: z.int().optional(),
  currentMetrics: z
    .array(
      z.object({
        resource: z
          .object({ name: z.string(), current: z.object({ averageUtilization: z.int().optional() }) })
          .optional(),
      }),
    )
    .nullish(),
});

export interface Autoscaler {
  object: KubeObject;
  spec: Pick<z.infer<typeof specSchema>, 'scaleTargetRef' | 'minReplicas' | 'maxReplicas'> & {
    /** Target utilization in percent of the requests; `undefined` without a cpu metric. */
    cpuPercent: number | undefined;
  };
}

/**
 * @throws CheckFailure E_SELECTED_NOTHING without exactly one HorizontalPodAutoscaler, E_SHAPE when it is not of autoscaling/v2
 */
export async function autoscaler(lab: Pick<Lab, 'optional'>): Promise<Autoscaler> {
  const objects = await lab.optional('hpa.yaml');
  const [object, ...others] = objects.filter(({ kind }) => kind === 'HorizontalPodAutoscaler');
  if (!object || others.length > 0)
    throw new CheckFailure(
      'E_SELECTED_NOTHING',
      'hpa.yaml does not have exactly one HorizontalPodAutoscaler',
    );
  const { metrics, ...spec } = inShape(specSchema, object['spec'], `the spec of ${nameOf(object)}`);
  const cpu = metrics.find(({ resource }) => resource?.name === 'cpu')?.resource;
  return { object, spec: { ...spec, cpuPercent: cpu?.target.averageUtilization } };
}

/** Its present status; fields are missing right after it was created. */
export async function autoscalerStatus(
  kube: Pick<KubeClient, 'get'>,
  { apiVersion, kind, metadata }: KubeObject,
  namespace: string,
): Promise<{ currentReplicas: number | undefined; cpuPercent: number | undefined }> {
  const live = await kube.get({ apiVersion, kind }, { name: metadata.name, namespace });
  const { currentReplicas, currentMetrics } = statusSchema.parse(live?.['status'] ?? {});
  const cpu = currentMetrics?.find(({ resource }) => resource?.name === 'cpu')?.resource;
  return { currentReplicas, cpuPercent: cpu?.current.averageUtilization };
}
