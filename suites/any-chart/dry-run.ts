/** Strict validation of rendered objects by the API server, as an install would send them. */
import { ApiError } from '../../harness/kube/api/errors.ts';
import type { KubeClient } from '../../harness/kube/api/client.ts';
import type { KubeObject, PodSpec } from '../../harness/kube/api/types.ts';
import { refusalsOf } from '../../harness/kube/manifests/dry-run.ts';
import { field } from '../../harness/kube/manifests/objects.ts';
import type { ModelWorkload } from '../../harness/kube/manifests/model/model.ts';

export interface Validation {
  /** How many objects the API server validated. */
  validated: number;
  /** Names of objects whose kind the server does not have yet, for example of a CustomResourceDefinition of the chart. */
  unknown: string[];
  refusals: string[];
}

/** Another object of that name or port exists, which says nothing about this one; it was validated before. */
const TAKEN = /already exists|already allocated/;

/**
 * Creates the objects in a strict dry-run: unknown and duplicate fields are errors. Not applied, because server-side apply refuses lists
 * that an install accepts.
 *
 * @param namespace for all of them, also for those that name another one, which need not exist
 */
export async function validate(
  kube: KubeClient,
  objects: readonly KubeObject[],
  namespace: string,
): Promise<Validation> {
  const known: KubeObject[] = [];
  const unknown: string[] = [];
  for (const object of objects) {
    const isNamespaced = await namespaced(kube, object);
    if (isNamespaced === undefined) unknown.push(`${object.kind} ${object.metadata.name}`);
    else known.push(isNamespaced ? inNamespace(object, namespace) : object);
  }
  const refusals = await refusalsOf(known, async (object) => {
    try {
      await kube.create(object, { dryRun: true, strict: true });
    } catch (error) {
      if (!(error instanceof ApiError) || !TAKEN.test(error.message)) throw error;
    }
  });
  return { validated: known.length, unknown, refusals };
}

/** `undefined` when the server does not have the kind. */
export async function namespaced(
  kube: KubeClient,
  { apiVersion, kind }: Pick<KubeObject, 'apiVersion' | 'kind'>,
): Promise<boolean | undefined> {
  try {
    return await kube.isNamespaced({ apiVersion, kind });
  } catch (error) {
    if (error instanceof ApiError && error.status === 404) return undefined;
    throw error;
  }
}

function inNamespace(object: KubeObject, namespace: string): KubeObject {
  const moved = { ...object, metadata: { ...object.metadata, namespace } };
  return object.kind === 'Pod' ? { ...moved, spec: alone(object['spec'] as PodSpec) } : moved;
}

/** A pod of the workload, for admission. */
export function podOf({ object, template }: ModelWorkload, namespace: string): KubeObject {
  const templates = field(object['spec'], 'volumeClaimTemplates');
  const claims = Array.isArray(templates) ? (templates as KubeObject[]) : [];
  // The controller adds these volumes. Pod Security does not look at the claim behind one.
  const volumes = claims.map(({ metadata }) => ({ name: metadata.name, emptyDir: {} }));
  const spec = alone({ ...template.spec, volumes: [...(template.spec.volumes ?? []), ...volumes] });
  return { apiVersion: 'v1', kind: 'Pod', metadata: { name: 'admitted', namespace }, spec };
}

/** Without the objects that have to exist before a pod is admitted: another check looks for those. */
function alone(spec: PodSpec): PodSpec {
  const others = ['serviceAccountName', 'priorityClassName', 'runtimeClassName'];
  return Object.fromEntries(
    Object.entries(spec).filter(([key]) => !others.includes(key)),
  ) as unknown as PodSpec;
}
