import type { ImagePlan, PreparedImage } from '../../../host/images/plan-images.ts';
import { OF_PREREQUISITE, planImages, prepareImages } from '../../../host/images/plan-images.ts';
import { pullError, pullHint, type PullFailure } from '../../../host/images/pull-failure.ts';
import type { ImageIdentity } from '../../../kube/cluster/cluster.ts';
import { imagesOf, type ImageUse } from '../../../kube/manifests/objects.ts';
import { imagesOfChecks } from '../../plan/images-of-checks.ts';
import { withStandIns, type SuitePlan } from '../../plan/plan.ts';
import type { Report } from '../../report/model.ts';
import { referenceOf } from '../../suite/reference.ts';
import type { SubjectConfig } from '../../suite/worker-config.ts';
import type { Task } from '../task.ts';
import { previousKey, subjectKey, type TestRun } from '../test-run.ts';

/** Pulls or builds every image that the subjects, the checks and the environments use. */
export const prepareAllImages: Task = {
  title: 'images',
  async setup(run, step) {
    const { command, log, signal, onProgress } = step;
    const deps = { run: command, log, signal, onProgress, clock: run.clock };
    await prepareImages(imagesOutsideTheCluster(run), deps);
    run.images = await prepareImages(imagesOnTheNodes(run), deps);
    for (const { ref, failure, namedBy } of run.images) {
      if (failure === undefined) continue;
      if (!canDoWithout(run, failure, namedBy)) throw pullError(ref, failure);
      run.warn(`image ${ref} is unavailable: ${failure.reason}`, pullHint(ref, failure.problem));
    }
    // The nodes of an existing cluster have images of their own.
    if (!run.provider.isExisting) {
      run.plan = withStandIns(run.plan, run.options, (...named) => runsStandIn(run, ...named));
    }
  },
};

/**
 * An image that no registry has is a defect of the subject: a check reports it, with the message of the cluster. In all other cases
 * nothing is known about the subject, so a failed check would be wrong. Nothing is known about it without its prerequisites, either. Nodes
 * that exist may have the image, or credentials of their own.
 */
function canDoWithout(
  { provider, options }: TestRun,
  { problem }: PullFailure,
  namedBy: readonly string[],
): boolean {
  if (provider.isExisting || options.reuse) return true;
  const isOfSubject = !namedBy.some((user) => user.startsWith(OF_PREREQUISITE));
  return isOfSubject && (problem === 'missing' || problem === 'other');
}

/**
 * The subject names the reference of the stand-in, and the engine has the stand-in under it, not an image of the user. A check starts what
 * no container of the subject runs.
 *
 * @param reference name of the further reference subject; the subject of the run, unless it is prepared beside that
 */
function runsStandIn(
  { rendered, images }: TestRun,
  { definition, references }: SuitePlan,
  name: string,
  reference: string | undefined,
): boolean {
  const image = referenceOf(definition, reference).images.find((one) => one.name === name);
  const ref = image?.recipe.ref;
  const isBeside = reference !== undefined && references[reference] !== undefined;
  const key = subjectKey(definition, isBeside ? reference : undefined);
  const named = imagesOf(rendered.get(key)?.objects ?? []).some((use) => use.ref === ref);
  const isOfChecks = typeof image?.override === 'object' && image.override.containers.length === 0;
  return (named || isOfChecks) && images.some((one) => one.ref === ref && one.standIn);
}

/** Loads the images into the nodes, in one batch. */
export const loadImages: Task = {
  title: 'load images',
  async setup(run, { onProgress }) {
    const available = run.images.filter(({ source }) => source !== 'unavailable');
    await run.cluster.loadImages(
      available.map(({ ref }) => ref),
      onProgress,
    );
    const identities = await run.cluster.imageIdentities?.(available.map(({ ref }) => ref));
    run.report.images = run.images.map((image) => reportedImage(image, identities?.get(image.ref)));
    for (const { definition, subject, references } of run.plan.suites) {
      for (const { referenceName, images } of [subject, ...Object.values(references)]) {
        const reported = run.report.subjects.find(
          ({ suite, reference }) => suite === definition.name && reference === referenceName,
        );
        if (reported) reported.images = withDigests(images, run.images);
      }
    }
  },
};

function reportedImage(
  { ref, source, standIn, digest, manifest, namedBy }: PreparedImage,
  onNodes: ImageIdentity | undefined,
): NonNullable<Report['images']>[number] {
  // Without the list of the nodes, nothing is known about the ids that pods may show.
  const ids = onNodes ? [digest, manifest, ...onNodes.ids].filter((id) => id !== undefined) : [];
  return {
    ref,
    source,
    standIn,
    ids: [...new Set(ids)],
    ...(manifest === undefined ? {} : { registryManifest: manifest }),
    nodeManifests: onNodes?.manifests ?? [],
    namedBy,
  };
}

function imagesOnTheNodes({ plan, project, rendered, prerequisites, selection }: TestRun): ImagePlan {
  if (!selection) throw new Error('the task "selection" has not run yet');
  const imagesIn = (key: string): ImageUse[] => imagesOf(rendered.get(key)?.objects ?? []);
  const named = plan.suites.flatMap(({ definition }) => imagesIn(subjectKey(definition)));
  // Only faulty releases run them: the evidence must not list them as images of the subject.
  const ofProofs = plan.suites.flatMap(({ definition, references }) =>
    Object.keys(references).flatMap((name) => imagesIn(subjectKey(definition, name)).map(({ ref }) => ref)),
  );
  const ofPrevious = [...rendered.keys()]
    .filter((key) => rendered.has(previousKey(key)))
    .flatMap((key) => imagesIn(previousKey(key)).map(({ ref }) => ref));
  const prepared = plan.suites.flatMap((suite) => {
    const ofChecks = imagesOfChecks(suite, selection);
    return [suite.subject, ...Object.values(suite.references)].map(({ images, referenceName }) => ({
      images,
      reference: referenceOf(suite.definition, referenceName),
      ofChecks,
    }));
  });
  const always = prepared.flatMap(({ images, reference, ofChecks }) =>
    reference.images
      .filter(({ name, always }) => always === true || ofChecks.has(name))
      .map(({ name, recipe }) => images.find((i) => i.name === name)?.ref ?? recipe.ref),
  );
  return planImages({
    rendered: named,
    prerequisites: imagesOf(prerequisites),
    recipes: [
      ...plan.suites.flatMap(({ definition: { subject, references = {} } }) =>
        // A chart of the user may name any of them.
        [subject, ...Object.values(references)].flatMap(({ images, recipes = [] }) => [
          ...images.map(({ recipe }) => recipe),
          ...recipes,
        ]),
      ),
      ...project.probeImages,
    ],
    always: [...always, ...ofProofs, ...ofPrevious, ...project.probeImages.map((r) => r.ref)],
  });
}

function imagesOutsideTheCluster({ plan }: TestRun): ImagePlan {
  const recipes = plan.suites.flatMap((s) => s.definition.environment?.images ?? []);
  return planImages({ rendered: [], recipes, always: recipes.map((r) => r.ref) });
}

/** A subject's images with the digests that the engine has for them. */
export function withDigests(
  subject: SubjectConfig['images'],
  prepared: readonly PreparedImage[],
): { name: string; ref: string; digest?: string }[] {
  const digests = new Map(prepared.map((i) => [i.ref, i.digest]));
  return subject.map((image) => {
    const digest = digests.get(image.ref);
    return { ...image, ...(digest === undefined ? {} : { digest }) };
  });
}
