/** The documents' autoscaler: `kubectl autoscale deployment tool-registry-api --cpu-percent=70 --min=3 --max=10`. */
import { z } from 'zod';
import { CheckFailure, DoesNotFit } from '../../../harness/core/errors.ts';
import type { KubeClient } from '../../../harness/kube/api/client.ts';
import type { KubeObject } from '../../../harness/kube/api/types.ts';
import type { Lab } from '../../../harness/run/suite/lab.ts';
import { inShape } from '../../../harness/run/suite/shape.ts';
import { nameOf } from '../../../harness/kube/manifests/objects.ts';
import { DEPLOYMENT } from '../names.ts';
import { renderedRoles } from '../roles.ts';

const FILE = 'hpa.yaml';

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
 * The subject's own, or the documents'.
 *
 * @throws CheckFailure E_SELECTED_NOTHING without exactly one HorizontalPodAutoscaler, E_SHAPE when it is not of autoscaling/v2; DoesNotFit
 * when it is the documents' and the subject's Deployment has another name
 */
export async function autoscaler(lab: Pick<Lab, 'optional' | 'hasOptional' | 'render'>): Promise<Autoscaler> {
  const objects = await lab.optional(FILE);
  const [object, ...others] = objects.filter(({ kind }) => kind === 'HorizontalPodAutoscaler');
  if (!object || others.length > 0)
    throw new CheckFailure(
      'E_SELECTED_NOTHING',
      'hpa.yaml does not have exactly one HorizontalPodAutoscaler',
    );
  const { metrics, ...spec } = inShape(specSchema, object['spec'], `the spec of ${nameOf(object)}`);
  const { deployment } = await renderedRoles(lab);
  const isOthers = spec.scaleTargetRef.name === DEPLOYMENT && deployment.metadata.name !== DEPLOYMENT;
  if (isOthers && !(await lab.hasOptional(FILE)))
    throw new DoesNotFit(
      `the autoscaler of the documents scales Deployment ${DEPLOYMENT}, which the subject does not have`,
      { hint: `Give the subject one of its own: optional/${FILE} beside the folder of its manifests.` },
    );
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
