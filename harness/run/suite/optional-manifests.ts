/** Optional manifests that a subject's documents offer: an autoscaler, a network policy, a Job. No release contains them. */
import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { KubeObject } from '../../kube/api/types.ts';
import { readManifests } from '../../kube/manifests/manifest-files.ts';

/**
 * The objects of a file in the folder `optional` next to the subject; if the subject has no such file, those of the reference.
 *
 * @throws UsageError `E_MANIFEST` when it is not a manifest
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
