/** The documents' other way to migrate: "Run migrations in a separate Job before deployment". */
import { CheckFailure } from '../../../harness/core/errors.ts';
import type { KubeObject } from '../../../harness/kube/api/types.ts';
import { podSpecOf } from '../../../harness/kube/manifests/objects.ts';
import { patchObjects } from '../../../harness/kube/manifests/patch.ts';
import type { Lab } from '../../../harness/run/suite/lab.ts';
import { containerNamed, type Release } from '../../../harness/run/suite/release.ts';
import { MIGRATIONS } from './migration-run.ts';
import { DEPLOYMENT } from '../names.ts';

const FILE = 'migration-job.yaml';

/**
 * The Job, with the image of the release's init container. A subject may have its own in the folder `optional` beside its manifests;
 * otherwise it is the reference's Job, which refers to script and Secret by their documented names.
 */
export async function migrationJob(lab: Lab, release: Release): Promise<KubeObject> {
  const jobs = (await lab.optional(FILE)).filter(({ kind }) => kind === 'Job');
  const spec = podSpecOf(release.rendered('Deployment', DEPLOYMENT));
  const { image } = containerNamed(spec, MIGRATIONS, `Deployment ${DEPLOYMENT}`);
  const [job] = patchObjects(jobs, [{ images: { [MIGRATIONS]: image } }]);
  if (!job) throw new CheckFailure('E_SELECTED_NOTHING', `${FILE} has no Job`);
  return { ...job, metadata: { ...job.metadata, namespace: release.namespace } };
}
