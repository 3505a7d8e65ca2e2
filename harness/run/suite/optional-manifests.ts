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
  const folder = folderBeside((await hasOptional(subject, file)) ? subject : reference);
  return (await readManifests(folder, [file])).map(({ object }) => object);
}

/** Whether the subject itself offers that file. */
export function hasOptional(subject: string, file: string): Promise<boolean> {
  return stat(join(folderBeside(subject), file)).then(
    () => true,
    () => false,
  );
}

function folderBeside(subject: string): string {
  return join(subject, '..', 'optional');
}
