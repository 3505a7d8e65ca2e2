import type { ImagePlan, PreparedImage } from '../../../host/images/plan-images.ts';
import { planImages, prepareImages } from '../../../host/images/plan-images.ts';
import { pullError, pullHint, type PullFailure } from '../../../host/images/pull-failure.ts';
import type { ImageIdentity } from '../../../kube/cluster/cluster.ts';
import { imagesOf } from '../../../kube/manifests/objects.ts';
import { withStandIns, type SuitePlan } from '../../plan/plan.ts';
import type { Report } from '../../report/model.ts';
import type { SubjectConfig } from '../../suite/worker-config.ts';
import type { Task } from '../task.ts';
import type { TestRun } from '../test-run.ts';

/** Pulls or builds every image that the subjects, the checks and the environments use. */
export const prepareAllImages: Task = {
  title: 'images',
  async setup(run, step) {
    const { command, log, signal, onProgress } = step;
    const deps = { run: command, log, signal, onProgress, clock: run.clock };
    await prepareImages(imagesOutsideTheCluster(run), deps);
    run.images = await prepareImages(imagesOnTheNodes(run), deps);
    for (const { ref, failure } of run.images) {
      if (failure === undefined) continue;
      if (!canDoWithout(run, failure)) throw pullError(ref, failure);
      run.warn(`image ${ref} is unavailable: ${failure.reason}`, pullHint(ref, failure.problem));
    }
    // The nodes of an existing cluster have images of their own.
    if (!run.provider.isExisting) {
      run.plan = withStandIns(run.plan, run.options, (suite, image) => runsStandIn(run, suite, image));
    }
  },
};

/**
 * An image that no registry has is a defect of the subject: a check reports it, with the message of the cluster. In all other cases
 * nothing is known about the subject, so a failed check would be wrong. Nodes that exist may have the image, or credentials of their own.
 */
function canDoWithout({ provider, options }: TestRun, { problem }: PullFailure): boolean {
  return provider.isExisting || options.reuse || problem === 'missing' || problem === 'other';
}

/** The subject names the reference of the stand-in, and the engine has the stand-in under it, not an image of the user. */
function runsStandIn({ rendered, images }: TestRun, { definition }: SuitePlan, name: string): boolean {
  const ref = definition.subject.images.find((image) => image.name === name)?.recipe.ref;
  const named = imagesOf(rendered.get(definition.name)?.objects ?? []).some((use) => use.ref === ref);
  return named && images.some((image) => image.ref === ref && image.standIn);
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
    for (const { definition, subject } of run.plan.suites) {
      const reported = run.report.subjects.find(({ suite }) => suite === definition.name);
      if (reported) reported.images = withDigests(subject.images, run.images);
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

function imagesOnTheNodes({ plan, project, rendered }: TestRun): ImagePlan {
  const named = [...rendered.values()].flatMap((r) => imagesOf(r.objects));
  const always = plan.suites.flatMap(({ definition, subject }) =>
    definition.subject.images
      .filter((image) => image.always)
      .map(({ name, recipe }) => subject.images.find((i) => i.name === name)?.ref ?? recipe.ref),
  );
  return planImages({
    rendered: named,
    recipes: [
      ...plan.suites.flatMap(({ definition: { subject } }) => [
        ...subject.images.map(({ recipe }) => recipe),
        ...(subject.recipes ?? []),
      ]),
      ...project.probeImages,
    ],
    always: [...always, ...project.probeImages.map((r) => r.ref)],
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
