/** What to do about a missing or unreachable engine and its build plug-in. */
import { join } from 'node:path';
import { findProgram } from '../../tools/find-program.ts';
import type { EngineFacts } from '../engine-facts.ts';
import type { PreflightDeps, Remedy } from '../finding.ts';
import { installPackages } from './engine-packages.ts';
import { ENGINE_LOG, startEngine } from './engine-start.ts';
import { packagePlan } from './package-plan.ts';

const ENGINE_DOCS = 'https://docs.docker.com/engine/install/';
const BUILDX_DOCS = 'https://docs.docker.com/build/install-buildx/';

/** How to get an engine that answers on this machine. */
export async function engineRemedy(deps: PreflightDeps, facts: EngineFacts): Promise<Remedy> {
  const host = deps.env['DOCKER_HOST'] ?? '';
  if (host !== '') {
    return {
      remedy: `DOCKER_HOST is ${host}: start that engine, or unset DOCKER_HOST to use the local one.`,
    };
  }
  if (/permission denied/i.test(facts.error ?? '')) {
    return { remedy: 'sudo usermod -aG docker "$USER"   (then log in again), or run as root' };
  }
  if (deps.machine.platform !== 'linux') {
    return { remedy: `Start Docker Desktop, or install it: ${ENGINE_DOCS}` };
  }
  const daemon = await findDaemon(deps);
  if (daemon !== undefined && facts.client !== undefined) return startRemedy(deps, daemon);
  return installRemedy(deps);
}

/** Searches PATH and the folders for root's programs, which a user's PATH may lack. */
async function findDaemon(deps: PreflightDeps): Promise<string | undefined> {
  const sbin = ['/usr/local/sbin', '/usr/sbin', '/sbin'].map((folder) => deps.machine.real(folder));
  return findProgram('dockerd', [deps.env['PATH'] ?? '', ...sbin].join(':'));
}

async function startRemedy(deps: PreflightDeps, daemon: string): Promise<Remedy> {
  const systemd = (await deps.machine.list('/run/systemd/system')).length > 0;
  const remedy = systemd
    ? 'sudo systemctl start docker'
    : `sudo sh -c 'setsid ${daemon} >${ENGINE_LOG} 2>&1 </dev/null &'`;
  if (!deps.machine.root) return { remedy };
  return {
    remedy: `npm run doctor -- --fix, or by hand: ${remedy.replaceAll('sudo ', '')}`,
    changes: `start the installed engine (${daemon}), log in ${ENGINE_LOG}`,
    fix: () => startEngine(deps, daemon),
  };
}

async function installRemedy(deps: PreflightDeps): Promise<Remedy> {
  const plan = await packagePlan(deps.machine);
  if (plan === undefined) return { remedy: `Install Docker Engine: ${ENGINE_DOCS}` };
  const remedy = `npm run doctor -- --fix   (${plan.words})\nor install Docker Engine: ${ENGINE_DOCS}`;
  if (!deps.machine.root) return { remedy: `sudo ${remedy}` };
  return {
    remedy,
    changes: `install ${plan.words} and start the engine, log in ${ENGINE_LOG}`,
    fix: async () => {
      await installPackages(deps, plan, plan.packages);
      const daemon = await findDaemon(deps);
      await startEngine(deps, daemon ?? join('/usr/sbin', 'dockerd'));
    },
  };
}

/** How to get the buildx plug-in of the docker client. */
export async function buildxRemedy(deps: PreflightDeps): Promise<Remedy> {
  const plan = await packagePlan(deps.machine);
  if (plan === undefined) return { remedy: `Install the buildx plug-in: ${BUILDX_DOCS}` };
  const remedy = `npm run doctor -- --fix   (installs the package docker-buildx), or see ${BUILDX_DOCS}`;
  if (!deps.machine.root) return { remedy: `sudo ${remedy}` };
  return {
    remedy,
    changes: 'install the package docker-buildx',
    fix: () => installPackages(deps, plan, ['docker-buildx']),
  };
}
