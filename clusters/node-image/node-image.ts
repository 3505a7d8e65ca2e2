/** Provides the node image for kind clusters: kind's published image if available, otherwise one built from packages. */
import type { CommandRunner } from '../../harness/core/command.ts';
import type { Clock } from '../../harness/core/deadline.ts';
import { seconds, systemClock } from '../../harness/core/deadline.ts';
import { InfrastructureError, UsageError } from '../../harness/core/errors.ts';
import { pullImage } from '../../harness/host/images/engine.ts';
import type { BuildDeps } from './build-steps.ts';
import { buildNodeImage } from './build-node-image.ts';
import { readRecipe, type Recipe } from './recipe.ts';

export interface NodeImage {
  ref: string;
  /** The engine's ID of the image (`sha256:…`). */
  digest: string;
  /** `v1.36.3`. */
  kubernetes: string;
}

export interface NodeImageDeps {
  /** Must not be bound to `signal`: it also cleans up after an interrupted build. */
  run: CommandRunner;
  signal?: AbortSignal | undefined;
  clock?: Clock;
  env?: Readonly<Record<string, string | undefined>>;
  /** Default: that of this folder. */
  recipe?: Recipe;
  /** Default: the build from packages. */
  build?: typeof buildNodeImage;
}

export interface NodeImageOptions {
  /** `v1.36.3`. Default: the version of the published image if it is available, otherwise that of the recipe. */
  kubernetes?: string | undefined;
  /** Called once for each stage, with the time since the start. */
  onProgress?: (text: string) => void;
}

const PULL_LIMITS = { firstAnswerMs: 10_000, totalMs: 600_000 };

/**
 * Ensures that the engine has a node image. Needs the engine with BuildKit, but neither kind nor helm.
 *
 * @throws UsageError `E_KUBERNETES_VERSION` for a version that is neither that of the published image nor that of the recipe
 * @throws InfrastructureError `E_NODE_IMAGE_BUILD` or `E_PACKAGE_SOURCES` when the image can be neither pulled nor built
 * @throws InfrastructureError `E_IMAGE_REFUSED` or `E_IMAGE_CORRUPT`: a registry answers, but something is wrong that a build would hide
 * @throws InterruptedError when the signal aborts, after the build's containers and folders were removed
 */
export async function ensureNodeImage(
  deps: NodeImageDeps,
  options: NodeImageOptions = {},
): Promise<NodeImage> {
  const clock = deps.clock ?? systemClock;
  const start = clock.now();
  const onProgress = (text: string): void =>
    options.onProgress?.(`${text} (${seconds(clock.now() - start)})`);
  const recipe = deps.recipe ?? (await readRecipe());
  const { published } = recipe.versions;

  const usesPublished =
    (options.kubernetes === undefined || options.kubernetes === published.kubernetes) &&
    (await hasCgroupV2(deps));
  if (usesPublished) {
    const present = await imageId(deps, published.ref);
    if (present !== undefined) return { ...published, digest: present };
  }

  const { kubernetes } = recipe.versions;
  if (options.kubernetes !== undefined && options.kubernetes !== kubernetes) {
    throw new UsageError(
      'E_KUBERNETES_VERSION',
      `there is no node image for Kubernetes ${options.kubernetes}`,
      {
        hint: `use ${kubernetes} (built from packages) or ${published.kubernetes} (pulled, cgroup v2 only)`,
      },
    );
  }
  const present = await imageId(deps, recipe.ref);
  if (present !== undefined) return { ref: recipe.ref, digest: present, kubernetes };

  if (usesPublished) {
    onProgress(`pulling ${published.ref}`);
    const engine = { run: deps.run, signal: deps.signal ?? new AbortController().signal, clock };
    const reason = await pullImage(published.ref, engine, PULL_LIMITS, () => {}).catch((error: unknown) => {
      throw withBuildHint(error, kubernetes);
    });
    const pulled = reason === undefined ? await imageId(deps, published.ref) : undefined;
    if (pulled !== undefined) return { ...published, digest: pulled };
    onProgress(
      `not pulled: ${reason ?? 'the engine does not have it'}; building the node image from packages`,
    );
  }
  const buildDeps: BuildDeps = {
    run: deps.run,
    signal: deps.signal,
    env: deps.env ?? process.env,
    onProgress,
  };
  await (deps.build ?? buildNodeImage)(buildDeps, recipe);
  const built = await imageId(deps, recipe.ref);
  if (built === undefined) throw new Error(`${recipe.ref} is missing after its build`);
  onProgress(`built ${recipe.ref}`);
  return { ref: recipe.ref, digest: built, kubernetes };
}

/** kind's image needs it: systemd 256 and later do not start on cgroup v1. */
async function hasCgroupV2({ run, signal }: NodeImageDeps): Promise<boolean> {
  const { stdout } = await run.run('docker', ['info', '--format', '{{.CgroupVersion}}'], {
    signal,
    timeoutMs: 30_000,
  });
  return stdout.trim() === '2';
}

async function imageId({ run, signal }: NodeImageDeps, ref: string): Promise<string | undefined> {
  const result = await run.run('docker', ['image', 'inspect', '--format', '{{.Id}}', ref], {
    signal,
    reject: false,
  });
  return result.exitCode === 0 ? result.stdout.trim() : undefined;
}

/** Some registries refuse what they need not refuse: the user may decide to build. */
function withBuildHint(error: unknown, kubernetes: string): unknown {
  if (!(error instanceof InfrastructureError)) return error;
  const { code, message, hint = '', cause, details } = error;
  const build = `To build the node image from packages instead: --kubernetes ${kubernetes}`;
  return new InfrastructureError(code, message, { hint: `${hint} ${build}`.trim(), cause, details });
}
