/** Node and the programs that have to be on PATH. */
import { findProgram } from '../../tools/find-program.ts';
import { versionIn } from '../../tools/version.ts';
import { fine, type Inspection } from '../finding.ts';

export const inspectNode: Inspection = (deps) => {
  const version = versionIn(deps.machine.nodeVersion);
  const enough = version && (version.major > 20 || (version.major === 20 && version.minor >= 19));
  if (enough) return [fine('node', 'Node', version.text)];
  return [
    {
      id: 'node',
      title: 'Node',
      status: 'problem',
      found: `${deps.machine.nodeVersion}, 20.19 or newer needed`,
      why: 'The test runner and its bundler do not run on older versions.',
      remedy: 'Install Node 20.19 or newer (https://nodejs.org), e.g. with your version manager.',
    },
  ];
};

/** Without the Docker client, which `inspectEngine` covers. */
export const inspectPrograms: Inspection = async (deps) => {
  const tar = await findProgram('tar', deps.env['PATH']);
  if (tar !== undefined) return [fine('tar', 'tar', tar)];
  return [
    {
      id: 'tar',
      title: 'tar',
      status: 'problem',
      found: 'not on PATH',
      why: 'It unpacks downloaded tools and packs images.',
      remedy: 'Install it with the package manager of your system (Debian: apt-get install tar).',
    },
  ];
};
