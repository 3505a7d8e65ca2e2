/** Which images a run needs, and their source: the engine, a recipe, a registry, or none. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pLimit from 'p-limit';
import type { CommandRunner } from '../../core/command.ts';
import type { Clock } from '../../core/deadline.ts';
import { InfrastructureError, InterruptedError, messageOf } from '../../core/errors.ts';
import type { Log } from '../../core/log.ts';
import { silentLog } from '../../core/log.ts';
import { nameOf, type ImageUse } from '../../kube/manifests/objects.ts';
import { inspectImage, pullImage, type PullLimits } from './engine.ts';
import {
  FINGERPRINT_LABEL,
  type ImagePlan,
  type ImageRecipe,
  type PlannedImage,
  type PreparedImage,
} from './types.ts';

export type { ImagePlan, PreparedImage } from './types.ts';

export interface ImageRequest {
  /** Images of the rendered manifests (`imagesOf`), of one or more subjects. */
  rendered: readonly ImageUse[];
  recipes: readonly ImageRecipe[];
  /** References needed independently of the manifests: images of the pods that checks create. */
  always?: readonly string[];
  /** Name of an image -> its reference, so that the report shows `toolman` instead of `example.org/x/toolman`. */
  names?: Readonly<Record<string, string>>;
}

export interface PrepareDeps {
  run: CommandRunner;
  signal: AbortSignal;
  onProgress: (text: string) => void;
  log?: Log;
  clock?: Clock;
  /** Images prepared concurrently; default 2, because builds and pulls share disk and network. */
  concurrency?: number;
  pullLimits?: PullLimits;
}

const PULL_LIMITS: PullLimits = { firstAnswerMs: 20_000, totalMs: 600_000 };

/** Every distinct reference once, with the objects that use it and its recipe. Pure. */
export function planImages(request: ImageRequest): ImagePlan {
  const namedBy = new Map<string, string[]>();
  for (const { ref, namedBy: uses } of request.rendered) {
    const known = namedBy.get(ref) ?? [];
    known.push(...uses.map(({ object, container }) => `${nameOf(object)}: container ${container}`));
    namedBy.set(ref, known);
  }
  for (const ref of request.always ?? [])
    namedBy.set(ref, [...(namedBy.get(ref) ?? []), 'pods of the checks']);
  const names = new Map(Object.entries(request.names ?? {}).map(([name, ref]) => [ref, name]));
  const images = [...namedBy].map(([ref, users]): PlannedImage => {
    const recipe = request.recipes.find((candidate) => candidate.ref === ref);
    return {
      name: names.get(ref) ?? shortName(ref),
      ref,
      namedBy: [...new Set(users)],
      ...(recipe ? { recipe } : {}),
    };
  });
  return { images };
}

/**
 * Builds or pulls the images of the plan into the local engine.
 *
 * An image that exists nowhere is returned as `unavailable` and is not an error: a check has to report a chart's wrong image, with the
 * message of the cluster. A failing recipe is an error.
 *
 * @returns in the plan's order
 * @throws InfrastructureError E_IMAGE_BUILD when a recipe fails, E_ENGINE when the engine does not answer
 */
export async function prepareImages(plan: ImagePlan, deps: PrepareDeps): Promise<PreparedImage[]> {
  const limit = pLimit(deps.concurrency ?? 2);
  const total = plan.images.length;
  let done = 0;
  // Awaits all before throwing, so that no build continues in the background after the run has ended.
  const settled = await Promise.allSettled(
    plan.images.map((image) =>
      limit(async () => {
        const prepared = await prepareImage(image, deps);
        done += 1;
        deps.onProgress(`${done} of ${total} images ready: ${image.ref} (${prepared.source})`);
        return prepared;
      }),
    ),
  );
  for (const result of settled) if (result.status === 'rejected') throw result.reason;
  return settled.flatMap((result) => (result.status === 'fulfilled' ? [result.value] : []));
}

async function prepareImage(image: PlannedImage, deps: PrepareDeps): Promise<PreparedImage> {
  const { name, ref, namedBy, recipe } = image;
  const log = deps.log ?? silentLog;
  const local = await inspectImage(ref, deps);
  if (local) {
    const label = local.labels[FINGERPRINT_LABEL];
    // An image without the label is the user's own, and the one to test.
    if (!recipe || label === undefined || label === (await recipe.fingerprint())) {
      return { name, ref, digest: local.id, source: 'present', namedBy };
    }
    log.info('image is outdated', { ref, label });
  }
  if (recipe) {
    await build(recipe, deps, log);
    const built = await inspectImage(ref, deps);
    if (built) return { name, ref, digest: built.id, source: 'built', namedBy };
    throw new InfrastructureError(
      'E_IMAGE_BUILD',
      `the recipe of ${ref} succeeded, but the engine does not have the image`,
    );
  }
  deps.onProgress(`pulling ${ref}`);
  const reason = await pullImage(ref, deps, deps.pullLimits ?? PULL_LIMITS, deps.onProgress);
  const pulled = reason === undefined ? await inspectImage(ref, deps) : undefined;
  if (pulled) return { name, ref, digest: pulled.id, source: 'pulled', namedBy };
  log.warn('image is unavailable', { ref, reason });
  return {
    name,
    ref,
    source: 'unavailable',
    reason: reason ?? 'the pull succeeded, but the engine does not have the image',
    namedBy,
  };
}

async function build(recipe: ImageRecipe, deps: PrepareDeps, log: Log): Promise<void> {
  const { run, signal } = deps;
  const workDir = await mkdtemp(join(tmpdir(), 'kindproof-image-'));
  deps.onProgress(`building ${recipe.ref}`);
  try {
    await recipe.build({
      run,
      log,
      signal,
      workDir,
      onProgress: (text) => {
        deps.onProgress(`building ${recipe.ref}: ${text}`);
      },
    });
  } catch (error) {
    if (error instanceof InterruptedError) throw error;
    throw new InfrastructureError(
      'E_IMAGE_BUILD',
      `image ${recipe.ref} could not be built: ${messageOf(error)}`,
      {
        cause: error,
        hint: 'See the build output in run.jsonl, or use your own image with --image NAME=REF.',
      },
    );
  } finally {
    await rm(workDir, { recursive: true, force: true });
  }
}

/** `ghcr.io/5dlabs/toolman:v1.0.0` -> `toolman` */
function shortName(ref: string): string {
  const withoutDigest = ref.split('@')[0] ?? ref;
  const last = withoutDigest.split('/').at(-1) ?? ref;
  return last.split(':')[0] ?? last;
}
