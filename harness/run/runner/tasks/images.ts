import { isAbsolute, relative } from 'node:path';
import type { ImagePlan, PreparedImage } from '../../../host/images/plan-images.ts';
import { planImages, prepareImages } from '../../../host/images/plan-images.ts';
import { imagesOf } from '../../../kube/manifests/objects.ts';
import type { Report } from '../../report/model.ts';
import type { SubjectConfig } from '../../suite/worker-config.ts';
import type { Task } from '../task.ts';
import type { TestRun } from '../test-run.ts';

/** Pulls or builds every image that the subjects, the checks and the environments use. */
export const prepareAllImages: Task = {
  title: 'images',
  async setup(run, step) {
    const deps = { run: step.command, log: step.log, signal: step.signal, onProgress: step.onProgress };
    await prepareImages(imagesOutsideTheCluster(run), deps);
    run.images = await prepareImages(imagesOnTheNodes(run), deps);
    for (const { ref, source, reason } of run.images) {
      if (source === 'unavailable') run.warn(`image ${ref} is unavailable: ${reason ?? 'unknown reason'}`);
    }
  },
};

/** Loads the images into the nodes, in one batch. */
export const loadImages: Task = {
  title: 'load images',
  async setup(run, { onProgress }) {
    const available = run.images.filter(({ source }) => source !== 'unavailable');
    await run.cluster.loadImages(
      available.map(({ ref }) => ref),
      onProgress,
    );
    run.report.subjects = subjectsOf(run);
  },
};

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
      ...plan.suites.flatMap((s) => s.definition.subject.images.map((i) => i.recipe)),
      ...project.probeImages,
    ],
    always: [...always, ...project.probeImages.map((r) => r.ref)],
  });
}

function imagesOutsideTheCluster({ plan }: TestRun): ImagePlan {
  const recipes = plan.suites.flatMap((s) => s.definition.environment?.images ?? []);
  return planImages({ rendered: [], recipes, always: recipes.map((r) => r.ref) });
}

function subjectsOf({ plan, images, project }: TestRun): Report['subjects'] {
  const shown = (path: string): string => withinProject(project.root, path);
  return plan.suites.map(({ definition, subject }) => ({
    suite: definition.name,
    chart: shown(subject.chart),
    values: subject.values.map(shown),
    images: withDigests(subject.images, images),
  }));
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

/** Files of the project by their path in it; a user's own as they were given. */
function withinProject(root: string, path: string): string {
  const inside = relative(root, path);
  return isAbsolute(path) && !inside.startsWith('..') ? inside : path;
}
