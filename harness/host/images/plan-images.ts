/** Which images a run needs, and their source: the engine, a recipe, a registry, or none. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pLimit from 'p-limit';
import { CommandError, type CommandRunner } from '../../core/command.ts';
import { systemClock, type Clock } from '../../core/deadline.ts';
import { InfrastructureError, InterruptedError, messageOf } from '../../core/errors.ts';
import type { Log } from '../../core/log.ts';
import { silentLog } from '../../core/log.ts';
import { nameOf, type ImageUse } from '../../kube/manifests/objects.ts';
import { inspectImage, PULL_LIMITS, tryPull, type LocalImage, type PullLimits } from './engine.ts';
import { baseImageFailure, isPullError, PAUSES_MS, pullHint } from './pull-failure.ts';
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
  /** Images of what the subject expects to find in its namespace. */
  prerequisites?: readonly ImageUse[];
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

/** What names the image of a prerequisite: `prerequisite Deployment postgres`. It must not read like a container of the subject. */
export const OF_PREREQUISITE = 'prerequisite';

/** Every distinct reference once, with the objects that use it and its recipe. Pure. */
export function planImages(request: ImageRequest): ImagePlan {
  const namedBy = new Map<string, string[]>();
  for (const { ref, namedBy: uses } of request.rendered) {
    const known = namedBy.get(ref) ?? [];
    known.push(...uses.map(({ object, container }) => `${nameOf(object)}: container ${container}`));
    namedBy.set(ref, known);
  }
  for (const { ref, namedBy: uses } of request.prerequisites ?? []) {
    const users = uses.map(({ object }) => `${OF_PREREQUISITE} ${nameOf(object)}`);
    namedBy.set(ref, [...(namedBy.get(ref) ?? []), ...users]);
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
 * An image that cannot be pulled is returned as `unavailable` and is not an error: the caller knows whether the nodes may have it. A
 * failing recipe is an error.
 *
 * @returns in the plan's order
 * @throws InfrastructureError E_IMAGE_BUILD when a recipe fails, E_IMAGE_REFUSED or E_IMAGE_CORRUPT when it must not build instead,
 *   E_ENGINE when the engine does not answer
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
    const isStandIn = recipe !== undefined && label === (await recipe.fingerprint());
    if (!recipe || label === undefined || isStandIn) {
      return { name, ref, ...digestsOf(ref, local), source: 'present', standIn: isStandIn, namedBy };
    }
    log.info('image is outdated', { ref, label });
  }
  if (recipe) {
    await build(recipe, deps, log);
    const built = await inspectImage(ref, deps);
    if (built) {
      // Some recipes prefer the real image of a registry.
      const standIn = built.labels[FINGERPRINT_LABEL] !== undefined;
      const source = standIn ? 'built' : 'pulled';
      return { name, ref, ...digestsOf(ref, built), source, standIn, namedBy };
    }
    throw new InfrastructureError(
      'E_IMAGE_BUILD',
      `the recipe of ${ref} succeeded, but the engine does not have the image`,
    );
  }
  deps.onProgress(`pulling ${ref}`);
  const failure = await tryPull(ref, deps, deps.pullLimits ?? PULL_LIMITS, deps.onProgress);
  const pulled = failure === undefined ? await inspectImage(ref, deps) : undefined;
  if (pulled) return { name, ref, ...digestsOf(ref, pulled), source: 'pulled', standIn: false, namedBy };
  log.warn('image is unavailable', { ref, ...failure });
  return {
    name,
    ref,
    source: 'unavailable',
    standIn: false,
    failure: failure ?? {
      problem: 'other',
      reason: 'the pull succeeded, but the engine does not have the image',
    },
    namedBy,
  };
}

/** Repeats a build whose base image the registry did not deliver. */
async function build(recipe: ImageRecipe, deps: PrepareDeps, log: Log): Promise<void> {
  const clock = deps.clock ?? systemClock;
  for (let attempt = 0; ; attempt++) {
    try {
      await buildOnce(recipe, deps, log);
      return;
    } catch (error) {
      // A registry that answers, but must not be replaced by a build.
      if (error instanceof InterruptedError || isPullError(error)) throw error;
      const base = error instanceof CommandError ? baseImageFailure(error.result.stderr) : undefined;
      const pauseMs = PAUSES_MS[attempt];
      if (base?.problem !== 'busy' || pauseMs === undefined) throw buildFailure(recipe.ref, error, base);
      deps.onProgress(`building ${recipe.ref}: ${base.reason}; again in ${pauseMs / 1000} s`);
      await clock.sleep(pauseMs, deps.signal);
    }
  }
}

async function buildOnce(recipe: ImageRecipe, deps: PrepareDeps, log: Log): Promise<void> {
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
  } finally {
    await rm(workDir, { recursive: true, force: true });
  }
}

function buildFailure(
  ref: string,
  error: unknown,
  base: ReturnType<typeof baseImageFailure>,
): InfrastructureError {
  if (base) {
    const message = `image ${ref} could not be built, because its base image cannot be pulled: ${base.reason}`;
    const packages = 'On Debian and Ubuntu, KINDPROOF_IMAGE_BASE=packages builds without a registry.';
    const hint = `${pullHint(base.ref, base.problem)} ${packages}`;
    return new InfrastructureError('E_IMAGE_BUILD', message, { cause: error, hint });
  }
  const own = error instanceof InfrastructureError ? error.hint : undefined;
  return new InfrastructureError('E_IMAGE_BUILD', `image ${ref} could not be built: ${messageOf(error)}`, {
    cause: error,
    hint: own ?? 'See the build output in run.jsonl, or use your own image with --image NAME=REF.',
  });
}

/** An image may have manifests in several repositories; the one of the reference counts. */
function digestsOf(ref: string, { id, manifests }: LocalImage): Pick<PreparedImage, 'digest' | 'manifest'> {
  const repository = repositoryOf(ref);
  const own = manifests.find((manifest) => repositoryOf(manifest) === repository);
  const digest = own?.split('@')[1];
  return { digest: id, ...(digest === undefined ? {} : { manifest: digest }) };
}

/** The repository without Docker Hub's defaults: `app` for `docker.io/library/app:1`. */
function repositoryOf(ref: string): string {
  const [name = ''] = ref.split('@');
  return name.replace(/:[^:/]+$/, '').replace(/^docker\.io\/(?:library\/)?/, '');
}

/** `ghcr.io/5dlabs/toolman:v1.0.0` -> `toolman` */
function shortName(ref: string): string {
  const withoutDigest = ref.split('@')[0] ?? ref;
  const last = withoutDigest.split('/').at(-1) ?? ref;
  return last.split(':')[0] ?? last;
}
