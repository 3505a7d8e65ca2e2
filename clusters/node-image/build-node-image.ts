/** Builds the node image from packages. README.md explains the steps. */
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { ensureBaseImage } from './base-image.ts';
import { buildProgress } from './build-progress.ts';
import type { BuildDeps } from './build-steps.ts';
import { runStage } from './build-steps.ts';
import type { PackageSources } from './package-sources.ts';
import { readPackageSources } from './package-sources.ts';
import type { Recipe } from './recipe.ts';
import { buildArguments } from './recipe.ts';

/** Label of build containers, by which `npm run sweep` finds those of a killed build. Images and their containers inherit it. */
export const BUILD_LABEL = 'kindproof.dev/role=image-build';

/**
 * Builds `recipe.ref`. Leaves nothing else but BuildKit's cache and the image of the base system.
 *
 * @throws InfrastructureError `E_NODE_IMAGE_BUILD`, `E_PACKAGE_SOURCES`
 */
export async function buildNodeImage(deps: BuildDeps, recipe: Recipe): Promise<void> {
  const sources = await readPackageSources(deps);
  const workDir = await mkdtemp(join(tmpdir(), 'kindproof-node-image-'));
  // A unique tag: another process can build at the same time.
  const rootfs = `kindproof/node-rootfs:${basename(workDir).slice(-6)}`;
  try {
    const base = await ensureBaseImage(deps, recipe.versions.debian, sources, workDir);
    const args = await buildxArguments(deps, recipe, sources, base, workDir);
    const build = async (...more: string[]) =>
      runStage(deps, 'docker buildx build', 'docker', ['buildx', 'build', ...args, ...more, recipe.dir], {
        onLine: buildProgress(deps.onProgress),
      });
    await build('--target', 'archive', '--output', `type=local,dest=${workDir}`);
    await build('--target', 'rootfs', '--tag', rootfs);
    await preloadImages(deps, recipe, rootfs, join(workDir, 'images.tar'));
  } finally {
    await deps.run.run('docker', ['image', 'rm', rootfs], { reject: false }).catch(() => {});
    await rm(workDir, { recursive: true, force: true });
  }
}

/** Mirrors and certificates are BuildKit secrets: they are not in the image or its history, and a change does not invalidate the cache. */
async function buildxArguments(
  deps: BuildDeps,
  recipe: Recipe,
  sources: PackageSources,
  base: string,
  workDir: string,
): Promise<string[]> {
  const { debian, debianOfGo } = recipe.versions;
  const secrets = {
    apt_sources: join(workDir, 'apt_sources'),
    go_env: join(workDir, 'go_env'),
    ca: sources.caBundle,
  };
  const aptSources = [debian, debianOfGo].map((suite) => `deb ${sources.debianMirror} ${suite} main\n`);
  await writeFile(secrets.apt_sources, aptSources.join(''));
  await writeFile(secrets.go_env, sources.goEnv);
  const proxies = ['HTTP_PROXY', 'HTTPS_PROXY', 'NO_PROXY', 'http_proxy', 'https_proxy', 'no_proxy'];
  return [
    '--progress=plain',
    ...Object.entries(secrets).flatMap(([id, src]) => ['--secret', `id=${id},src=${src}`]),
    ...Object.entries({ BASE: base, ...buildArguments(recipe.versions) }).flatMap(([k, v]) => [
      '--build-arg',
      `${k}=${v}`,
    ]),
    // Without a value, docker uses that of the environment and does not store it in the image.
    ...proxies.filter((name) => deps.env[name] !== undefined).flatMap((name) => ['--build-arg', name]),
  ];
}

/** Imports the images in a container of the root file system: unpacking needs containerd and mounts, which a Dockerfile cannot do. */
async function preloadImages(
  deps: BuildDeps,
  recipe: Recipe,
  rootfs: string,
  archive: string,
): Promise<void> {
  const stage = 'preload images';
  deps.onProgress('importing the images of the control plane');
  const container = `kindproof-${basename(join(archive, '..'))}`;
  const docker = async (args: readonly string[], input?: Buffer) =>
    runStage(deps, stage, 'docker', args, { input });
  try {
    const run = [
      'run',
      '--detach',
      '--name',
      container,
      '--label',
      BUILD_LABEL,
      '--privileged',
      '--network',
      'none',
    ];
    // The archive is in a volume, so that it is not committed.
    await docker([...run, '--volume', '/preload', '--entrypoint', 'sleep', rootfs, 'infinity']);
    await docker(['cp', archive, `${container}:/preload/images.tar`]);
    const script = await readFile(join(recipe.dir, 'build/preload-images.sh'));
    await docker(['exec', '--interactive', container, 'bash', '-s', '/preload/images.tar'], script);
    deps.onProgress('committing the node image');
    // The container runs "sleep", so the entry point of the image is read from the root file system's image.
    const format = 'ENTRYPOINT {{json .Config.Entrypoint}}';
    const entrypoint = (await docker(['image', 'inspect', '--format', format, rootfs])).stdout.trim();
    await docker(['commit', '--change', entrypoint, '--change', 'CMD []', container, recipe.ref]);
  } finally {
    await deps.run
      .run('docker', ['rm', '--force', '--volumes', container], { reject: false })
      .catch(() => {});
  }
}
