/** Installs the packages of an engine with apt, without changing the machine's sources. */
import { chmod, mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { InfrastructureError } from '../../../core/errors.ts';
import type { PreflightDeps } from '../finding.ts';
import type { AptSource } from './apt-sources.ts';
import { formatDeb822, readAptSources, sourceOfSuite, sourcesOf } from './apt-sources.ts';
import type { PackagePlan } from './package-plan.ts';

type Deps = Pick<PreflightDeps, 'run' | 'machine' | 'onProgress' | 'signal'>;

const APT_MS = 600_000;
/** Seconds that apt waits for dpkg's lock, instead of failing. */
const LOCK = ['-o', 'DPkg::Lock::Timeout=120'];

/**
 * Installs `packages` according to the plan.
 *
 * Packages of a newer suite are downloaded with a separate source list, list folder and cache, and installed by path. So no other package
 * of that suite is installed, and the machine's apt configuration stays unchanged.
 *
 * @throws CommandError of apt-get; InfrastructureError `E_APT_SOURCES` when no Debian mirror is configured
 */
export async function installPackages(
  deps: Deps,
  plan: PackagePlan,
  packages: readonly string[],
): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'kindproof-apt-'));
  try {
    // apt downloads as the user _apt, who needs access.
    await chmod(folder, 0o755);
    if (plan.newerSuite === undefined) {
      deps.onProgress(`installing ${packages.join(', ')}`);
      // A third-party source may be unreachable; the install reports what is missing.
      await deps.run.run('apt-get', ['update'], { timeoutMs: APT_MS, signal: deps.signal, reject: false });
      await install(deps, [], packages);
      return;
    }
    const debs = await downloadPackages(deps, plan.newerSuite, plan.codename, packages, folder);
    deps.onProgress(`installing ${debs.length} packages and their dependencies`);
    const own = sourcesOf(plan.codename, await readAptSources(deps.machine));
    const options = await aptFolder(join(folder, 'own'), own);
    await update(deps, options);
    await install(deps, options, debs);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/**
 * Downloads packages of another suite from this machine's mirror.
 *
 * @returns paths of the .deb files in `folder`
 */
export async function downloadPackages(
  deps: Deps,
  suite: string,
  codename: string,
  packages: readonly string[],
  folder: string,
): Promise<string[]> {
  const source = sourceOfSuite(suite, codename, await readAptSources(deps.machine));
  if (source === undefined) {
    throw new InfrastructureError('E_APT_SOURCES', `apt has no source of ${codename} main on this machine`, {
      hint: 'Add a Debian mirror to /etc/apt/sources.list, or install Docker Engine manually.',
    });
  }
  deps.onProgress(`downloading ${packages.join(', ')} from ${suite}`);
  const options = await aptFolder(join(folder, suite), [source]);
  await update(deps, options);
  const target = join(folder, 'debs');
  await mkdir(target);
  await chmod(target, 0o777);
  await deps.run.run('apt-get', [...options, 'download', ...packages], {
    cwd: target,
    timeoutMs: APT_MS,
    signal: deps.signal,
  });
  return (await readdir(target)).filter((name) => name.endsWith('.deb')).map((name) => join(target, name));
}

/** Creates a folder with sources, lists and cache; returns the options that make apt use it. */
async function aptFolder(folder: string, sources: readonly AptSource[]): Promise<string[]> {
  for (const name of ['parts', 'lists/partial', 'cache/archives/partial']) {
    await mkdir(join(folder, name), { recursive: true });
  }
  await writeFile(join(folder, 'parts', 'kindproof.sources'), formatDeb822(sources));
  const settings = {
    'Dir::Etc::SourceList': '/dev/null',
    'Dir::Etc::SourceParts': join(folder, 'parts'),
    'Dir::State::Lists': join(folder, 'lists'),
    'Dir::Cache': join(folder, 'cache'),
  };
  return Object.entries(settings).flatMap(([key, value]) => ['-o', `${key}=${value}`]);
}

async function update(deps: Deps, options: readonly string[]): Promise<void> {
  await deps.run.run('apt-get', [...options, '-o', 'Acquire::Retries=2', 'update'], {
    timeoutMs: APT_MS,
    signal: deps.signal,
    hint: 'Check that the Debian mirror of this machine is reachable: apt-get update',
  });
}

async function install(deps: Deps, options: readonly string[], what: readonly string[]): Promise<void> {
  await deps.run.run('apt-get', [...options, ...LOCK, 'install', '-y', '--no-install-recommends', ...what], {
    env: { DEBIAN_FRONTEND: 'noninteractive' },
    timeoutMs: APT_MS,
    signal: deps.signal,
    hint: 'Run the command manually for details, or install Docker Engine as its documentation describes.',
  });
}
