/** Node itself and the programs that have to be on PATH. */
import { findProgram } from '../../tools/find-program.ts';
import { versionIn } from '../../tools/version.ts';
import type { Check } from '../finding.ts';
import { fine } from '../finding.ts';

export const checkNode: Check = (deps) => {
  const version = versionIn(deps.machine.nodeVersion);
  const enough = version && (version.major > 20 || (version.major === 20 && version.minor >= 19));
  if (enough) return [fine('node', 'Node', version.text)];
  return [
    {
      id: 'node',
      title: 'Node',
      status: 'problem',
      found: `${deps.machine.nodeVersion}, 20.19 or newer needed`,
      why: 'The test runner and its bundler do not load on older ones.',
      remedy: 'Install Node 20.19 or newer (https://nodejs.org), e.g. with your version manager.',
    },
  ];
};

/** The Docker client belongs to the engine's check; this is the rest. */
export const checkPrograms: Check = async (deps) => {
  const tar = await findProgram('tar', deps.env['PATH']);
  if (tar !== undefined) return [fine('tar', 'tar', tar)];
  return [
    {
      id: 'tar',
      title: 'tar',
      status: 'problem',
      found: 'not on PATH',
      why: 'Releases of tools are unpacked, and images are packed, with it.',
      remedy: 'Install it with the package manager of your system (Debian: apt-get install tar).',
    },
  ];
};
