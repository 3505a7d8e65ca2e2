/** Builds the Debian base system with debootstrap, without a container registry. */
import { access } from 'node:fs/promises';
import { join } from 'node:path';
import { InfrastructureError } from '../../harness/core/errors.ts';
import type { BuildDeps } from './build-steps.ts';
import { runStage } from './build-steps.ts';
import type { PackageSources } from './package-sources.ts';

const STAGE = 'base system';

/**
 * Builds `kindproof/debian:<release>` unless it exists.
 *
 * @param workDir an empty folder of the build
 * @returns the reference
 * @throws InfrastructureError `E_NODE_IMAGE_BUILD`
 */
export async function ensureBaseImage(
  deps: BuildDeps,
  release: string,
  sources: PackageSources,
  workDir: string,
): Promise<string> {
  const ref = `kindproof/debian:${release}`;
  const present = await deps.run.run('docker', ['image', 'inspect', '--format', '{{.Id}}', ref], {
    signal: deps.signal,
    reject: false,
  });
  if (present.exitCode === 0) return ref;
  if (process.getuid?.() !== 0) {
    throw new InfrastructureError(
      'E_NODE_IMAGE_BUILD',
      'only root can build the base system of the node image',
      {
        hint: 'run `npm run doctor -- --fix` once as root, or use a machine where kindest/node can be pulled',
        details: { stage: STAGE },
      },
    );
  }
  deps.onProgress(`${STAGE}: Debian ${release} (about 30 s, once)`);
  const debootstrap = await findDebootstrap(deps, workDir);
  const root = join(workDir, 'debian');
  const args = [
    '--variant=minbase',
    '--include=ca-certificates',
    ...debootstrap.args,
    release,
    root,
    sources.debianMirror,
  ];
  await runStage(deps, STAGE, debootstrap.file, args, { env: debootstrap.env });
  const archive = join(workDir, 'debian.tar');
  // The mirror is a setting of this machine, not of the image.
  const without = ['./etc/apt/sources.list', './var/cache/apt/*', './var/lib/apt/lists/*', './var/log/*'];
  await runStage(deps, STAGE, 'tar', [
    '-C',
    root,
    ...without.map((path) => `--exclude=${path}`),
    '-cf',
    archive,
    '.',
  ]);
  await runStage(deps, STAGE, 'docker', ['import', archive, ref]);
  return ref;
}

interface Debootstrap {
  file: string;
  args: string[];
  env: Record<string, string>;
}

const KEYRING = 'usr/share/keyrings/debian-archive-keyring.gpg';

/** The installed debootstrap, or one unpacked from its package into the work folder. Installs nothing on this machine. */
async function findDebootstrap(deps: BuildDeps, workDir: string): Promise<Debootstrap> {
  const installed = await Promise.all([isRunnable(deps), exists(join('/', KEYRING))]);
  if (installed.every(Boolean)) {
    return { file: 'debootstrap', args: ['--keyring', join('/', KEYRING)], env: {} };
  }
  deps.onProgress(`${STAGE}: fetching debootstrap`);
  // apt's own package lists may be missing or old, and the build must not change them.
  const lists = ['-o', `Dir::State::Lists=${workDir}`, '-o', 'APT::Sandbox::User=root'];
  const hint = 'install debootstrap and debian-archive-keyring';
  await runStage(deps, STAGE, 'apt-get', [...lists, 'update'], { hint });
  await runStage(deps, STAGE, 'apt-get', [...lists, 'download', 'debootstrap', 'debian-archive-keyring'], {
    hint,
    cwd: workDir,
  });
  const unpacked = join(workDir, 'debootstrap');
  await runStage(
    deps,
    STAGE,
    'sh',
    ['-c', 'for package in *.deb; do dpkg-deb -x "$package" "$1"; done', 'sh', unpacked],
    { hint, cwd: workDir },
  );
  return {
    file: join(unpacked, 'usr/sbin/debootstrap'),
    args: ['--keyring', join(unpacked, KEYRING)],
    env: { DEBOOTSTRAP_DIR: join(unpacked, 'usr/share/debootstrap') },
  };
}

async function isRunnable({ run, signal }: BuildDeps): Promise<boolean> {
  return run.run('debootstrap', ['--version'], { signal }).then(
    () => true,
    () => {
      signal?.throwIfAborted();
      return false;
    },
  );
}

async function exists(file: string): Promise<boolean> {
  return access(file).then(
    () => true,
    () => false,
  );
}
