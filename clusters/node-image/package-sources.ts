/** Where this machine gets packages from. The build uses the same mirrors, so that it works wherever the machine's own clients do. */
import { access } from 'node:fs/promises';
import type { CommandRunner } from '../../harness/core/command.ts';
import { InfrastructureError } from '../../harness/core/errors.ts';

export interface PackageSources {
  /** A mirror of Debian's archive, as in an apt source. */
  debianMirror: string;
  /** Lines of a GOENV file; empty where Go's own defaults apply. */
  goEnv: string;
  /** Certificates that the mirrors are checked against. */
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
 * @throws InfrastructureError `E_PACKAGE_SOURCES` when something is not configured
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
    'this machine has no apt source of Debian to build the node image from',
    {
      hint: 'set KINDPROOF_DEBIAN_MIRROR to the address of a Debian mirror, or use a machine where kindest/node can be pulled',
    },
  );
}

const DEBIAN_RELEASES = new Set(['bookworm', 'trixie', 'forky', 'sid']);

/** The mirror in the output of `apt-get indextargets`: of a plain release, because security and third-party archives lack the rest. */
export function debianMirrorOf(targets: string): string | undefined {
  for (const line of targets.split('\n')) {
    const [release = '', component, uri] = line.split(' ');
    if (DEBIAN_RELEASES.has(release) && component === 'main' && uri !== undefined)
      return uri.replace(/\/+$/, '');
  }
  return undefined;
}

const GO_VARIABLES = ['GOPROXY', 'GOSUMDB', 'GONOSUMDB', 'GONOPROXY', 'GOPRIVATE', 'GOINSECURE'] as const;

/** What `go env` says, because it also reads the file that `go env -w` writes; without Go the environment's variables. */
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

/** Of Debian and its kin, of Red Hat and its kin, of Alpine and macOS. */
const CA_BUNDLES = [
  '/etc/ssl/certs/ca-certificates.crt',
  '/etc/pki/tls/certs/ca-bundle.crt',
  '/etc/ssl/cert.pem',
];

/**
 * The file of certificates that this machine's programs trust: `SSL_CERT_FILE`, or where distributions put it.
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
  throw new InfrastructureError('E_PACKAGE_SOURCES', 'this machine has no bundle of CA certificates', {
    hint: 'install ca-certificates, or set SSL_CERT_FILE',
  });
}
