/** The documents' other way to migrate: "Run migrations in a separate Job before deployment". */
import { CheckFailure, DoesNotFit } from '../../../harness/core/errors.ts';
import type { KubeObject } from '../../../harness/kube/api/types.ts';
import { podSpecOf } from '../../../harness/kube/manifests/objects.ts';
import { configurationOf } from '../../../harness/kube/manifests/model/mounted.ts';
import { patchObjects } from '../../../harness/kube/manifests/patch.ts';
import type { Lab } from '../../../harness/run/suite/lab.ts';
import type { Release } from '../../../harness/run/suite/release.ts';
import { rolesOf } from '../roles.ts';

const FILE = 'migration-job.yaml';

/**
 * The Job, with the image of the release's migrations. A subject may have its own in the folder `optional` beside its manifests; otherwise
 * it is the reference's Job, which refers to script and Secret by their documented names.
 *
 * @throws DoesNotFit when it is the reference's, and the release has other names
 */
export async function migrationJob(lab: Lab, release: Release): Promise<KubeObject> {
  const jobs = (await lab.optional(FILE)).filter(({ kind }) => kind === 'Job');
  const { image } = rolesOf(release).migrations.container;
  const containers = jobs.flatMap((one) => podSpecOf(one)?.containers ?? []).map(({ name }) => name);
  const images = Object.fromEntries(containers.map((name) => [name, image]));
  const [job] = containers.length > 0 ? patchObjects(jobs, [{ images }]) : [];
  if (!job) throw new CheckFailure('E_SELECTED_NOTHING', `${FILE} has no Job`);
  if (!(await lab.hasOptional(FILE))) refuseOtherNames(job, release);
  return { ...job, metadata: { ...job.metadata, namespace: release.namespace } };
}

function refuseOtherNames(job: KubeObject, { objects }: Release): void {
  const spec = podSpecOf(job);
  const [missing] = (spec ? configurationOf(spec, objects) : []).filter(({ object }) => !object);
  if (!missing) return;
  const { kind, name } = missing;
  throw new DoesNotFit(
    `the Job of the documents refers to ${kind} ${name}, which the subject does not have`,
    {
      hint: `Give the subject a Job of its own: optional/${FILE} beside the folder of its manifests.`,
    },
  );
}
