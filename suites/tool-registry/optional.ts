/** Manifests that the documents offer beside the base: autoscaler, network policy, migration Job. */
import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { KubeObject } from '../../harness/kube/types.ts';
import { readManifests } from '../../harness/manifests/manifest-files.ts';
import type { SubjectConfig } from '../../harness/suite/worker-config.ts';
import { registry } from './suite.ts';

/**
 * The objects of a file in `optional`, the folder beside the subject's own; where the subject does not bring that file, those of the reference.
 *
 * @throws UsageError E_MANIFEST when it cannot be read
 */
export async function optionalObjects(
  subject: Pick<SubjectConfig, 'chart'>,
  file: string,
): Promise<KubeObject[]> {
  const own = join(subject.chart, '..', 'optional');
  const hasOwn = await stat(join(own, file)).then(
    () => true,
    () => false,
  );
  const folder = hasOwn ? own : join(registry.subject.chart, '..', 'optional');
  return (await readManifests(folder, [file])).map(({ object }) => object);
}
