import type { PreflightDeps } from '../finding.ts';
import { installPackages } from './engine-packages.ts';
import { packagePlan } from './package-plan.ts';
import type { Repair } from './repair.ts';

/** The way to the buildx plug-in of a docker client that lacks it. */
export async function buildxRepair(deps: PreflightDeps): Promise<Repair> {
  const docs = 'https://docs.docker.com/build/install-buildx/';
  const plan = await packagePlan(deps.machine);
  if (plan === undefined) return { remedy: `Install the buildx plug-in: ${docs}` };
  const fixing = `npm run doctor -- --fix   (installs the package docker-buildx), or see ${docs}`;
  if (!deps.machine.root) return { remedy: `sudo ${fixing}` };
  return {
    remedy: fixing,
    changes: 'install the package docker-buildx',
    fix: () => installPackages(deps, plan, ['docker-buildx']),
  };
}
