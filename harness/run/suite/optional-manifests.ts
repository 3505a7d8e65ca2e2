/** Manifests that a subject's documents offer beside it: an autoscaler, a network policy, a Job. They are no part of any install. */
import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { KubeObject } from '../../kube/api/types.ts';
import { readManifests } from '../../kube/manifests/manifest-files.ts';

/**
 * The objects of a file in `optional`, the folder beside the subject's own; where the subject does not bring that file, those of the reference.
 *
 * @throws UsageError E_MANIFEST when it is no manifest
 */
export async function optionalManifests(
  subject: string,
  reference: string,
  file: string,
): Promise<KubeObject[]> {
  const own = join(subject, '..', 'optional');
  const hasOwn = await stat(join(own, file)).then(
    () => true,
    () => false,
  );
  const folder = hasOwn ? own : join(reference, '..', 'optional');
  return (await readManifests(folder, [file])).map(({ object }) => object);
}
