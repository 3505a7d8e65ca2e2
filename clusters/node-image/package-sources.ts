/** The package mirrors of this machine. The build uses the same ones, so that it works wherever the machine's own clients work. */
import { access } from 'node:fs/promises';
import type { CommandRunner } from '../../harness/core/command.ts';
import { InfrastructureError } from '../../harness/core/errors.ts';

export interface PackageSources {
  /** URL of a Debian mirror, as in an apt source. */
  debianMirror: string;
  /** Content of a GOENV file; empty for Go's defaults. */
  goEnv: string;
  /** Path of the CA certificates for the mirrors. */
  caBundle: string;
}

export interface SourceDeps {
  run: CommandRunner;
  env: Readonly<Record<string, string | undefined>>;
  signal?: AbortSignal | undefined;
}

/**
 * Reads apt's sources, Go's environment and the CA bundle of this machine.
 *
 * @throws InfrastructureError `E_PACKAGE_SOURCES` when one of them is missing
 */
export async function readPackageSources(deps: SourceDeps): Promise<PackageSources> {
  const [debianMirror, goEnv, caBundle] = await Promise.all([
    readDebianMirror(deps),
    readGoEnv(deps),
    findCaBundle(deps.env),
  ]);
  return { debianMirror, goEnv, caBundle };
}

async function readDebianMirror({ run, env, signal }: SourceDeps): Promise<string> {
  const named = env['KINDPROOF_DEBIAN_MIRROR'];
  if (named !== undefined && named !== '') return named;
  const args = ['indextargets', '--format', '$(CODENAME) $(COMPONENT) $(REPO_URI)', 'Identifier: Packages'];
  const { stdout } = await run.run('apt-get', args, { signal, reject: false }).catch(() => {
    signal?.throwIfAborted();
    return { stdout: '' };
  });
  const mirror = debianMirrorOf(stdout);
  if (mirror !== undefined) return mirror;
  throw new InfrastructureError(
    'E_PACKAGE_SOURCES',
    'this machine has no Debian apt source, which the build of the node image needs',
    {
      hint: 'set KINDPROOF_DEBIAN_MIRROR to the URL of a Debian mirror, or use a machine that can pull kindest/node',
    },
  );
}

const DEBIAN_RELEASES = new Set(['bookworm', 'trixie', 'forky', 'sid']);

/** The mirror in the output of `apt-get indextargets`. Only that of a release: security and third-party archives are incomplete. */
export function debianMirrorOf(targets: string): string | undefined {
  for (const line of targets.split('\n')) {
    const [release = '', component, uri] = line.split(' ');
    if (DEBIAN_RELEASES.has(release) && component === 'main' && uri !== undefined)
      return uri.replace(/\/+$/, '');
  }
  return undefined;
}

/** Where modules come from. What may be built is in go.sum, so no setting of Go's checksum database is here. */
const GO_VARIABLES = ['GOPROXY', 'GONOPROXY', 'GOPRIVATE', 'GOINSECURE'] as const;

/** From `go env`, which also reads the file that `go env -w` writes; without Go, from environment variables. */
export async function readGoEnv({ run, env, signal }: SourceDeps): Promise<string> {
  const values = await run.run('go', ['env', ...GO_VARIABLES], { signal }).then(
    ({ stdout }) => stdout.split('\n'),
    () => {
      signal?.throwIfAborted();
      return GO_VARIABLES.map((name) => env[name] ?? '');
    },
  );
  return GO_VARIABLES.map((name, index) => [name, values[index]?.trim() ?? ''])
    .filter(([, value]) => value !== '')
    .map(([name, value]) => `${name}=${value}\n`)
    .join('');
}

/** Debian family, Red Hat family, Alpine and macOS. */
const CA_BUNDLES = [
  '/etc/ssl/certs/ca-certificates.crt',
  '/etc/pki/tls/certs/ca-bundle.crt',
  '/etc/ssl/cert.pem',
];

/**
 * Path of this machine's CA certificates: `SSL_CERT_FILE`, or the location of the distribution.
 *
 * @throws InfrastructureError `E_PACKAGE_SOURCES`
 */
export async function findCaBundle(env: SourceDeps['env']): Promise<string> {
  for (const file of [env['SSL_CERT_FILE'], ...CA_BUNDLES]) {
    if (file === undefined || file === '') continue;
    const readable = await access(file).then(
      () => true,
      () => false,
    );
    if (readable) return file;
  }
  throw new InfrastructureError('E_PACKAGE_SOURCES', 'this machine has no CA certificates', {
    hint: 'install ca-certificates, or set SSL_CERT_FILE',
  });
}
