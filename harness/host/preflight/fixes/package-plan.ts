/** Which packages provide an engine on this machine, and from which suite. */
import type { Machine } from '../machine.ts';
import { parseOsRelease } from '../machine.ts';

export interface PackagePlan {
  packages: readonly string[];
  /** Code name of this machine's release; empty when it has none. */
  codename: string;
  /** Suite of the packages, when those of this machine's own release do not work. */
  newerSuite?: string;
  /** What is installed from where, for messages. */
  words: string;
}

const DEBIAN = ['docker.io', 'docker-cli', 'docker-buildx', 'containerd'] as const;

/**
 * The plan for Debian and its derivatives; undefined elsewhere.
 *
 * Debian 12 gets the packages of Debian 13: its own engine (20.10) cannot start privileged containers on machines without
 * CAP_SYS_RESOURCE, and it has no buildx package. Debian 12 satisfies their dependencies.
 */
export async function packagePlan(machine: Machine): Promise<PackagePlan | undefined> {
  const os = parseOsRelease((await machine.read('/etc/os-release')) ?? '');
  const codename = os['VERSION_CODENAME'] ?? '';
  const family = [os['ID'] ?? '', ...(os['ID_LIKE'] ?? '').split(' ')];
  if (!family.includes('debian')) return undefined;
  if (os['ID'] !== 'debian') {
    const packages = ['docker.io', 'docker-buildx'];
    return {
      packages,
      codename,
      words: `${packages.join(' and ')} of ${os['PRETTY_NAME'] ?? 'this system'}`,
    };
  }
  const release = Number(os['VERSION_ID'] ?? Number.POSITIVE_INFINITY);
  if (release < 12) return undefined;
  const names = DEBIAN.join(', ');
  if (release > 12) return { packages: DEBIAN, codename, words: `Debian's ${names}` };
  return {
    packages: DEBIAN,
    codename,
    newerSuite: 'trixie',
    words: `Debian 13's ${names} from this machine's own Debian mirror`,
  };
}
