/** To whom an object of the cluster belongs. */
import { z } from 'zod';
import { RUN_LABEL } from '../../core/run-id.ts';
import type { KubeObject } from './types.ts';

/** Annotations by which helm claims an object (helm, pkg/action/validate.go). */
const HELM_RELEASE = 'meta.helm.sh/release-name';
export const HELM_NAMESPACE = 'meta.helm.sh/release-namespace';

const managedSchema = z.array(z.looseObject({ manager: z.string().optional() }));

/** Completes "it …": `belongs to the Helm release web in namespace prod`, `was made with kubectl-create`. */
export function ownershipOf(object: KubeObject): string {
  const { labels, annotations, ...metadata } = object.metadata;
  const run = labels?.[RUN_LABEL];
  if (run !== undefined) return `belongs to run ${run}`;
  const release = annotations?.[HELM_RELEASE];
  if (release !== undefined) {
    return `belongs to the Helm release ${release} in namespace ${annotations?.[HELM_NAMESPACE] ?? '?'}`;
  }
  // The first field manager is the one that created the object.
  const managed = managedSchema.safeParse((metadata as { managedFields?: unknown }).managedFields);
  const manager = managed.data?.[0]?.manager;
  return manager === undefined ? 'belongs to somebody else' : `was made with ${manager}`;
}
