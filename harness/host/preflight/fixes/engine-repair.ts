/** What to do about an engine that does not answer: start it, install it, or say who can. */
import { join } from 'node:path';
import { findProgram } from '../../tools/find-program.ts';
import type { EngineFacts } from '../engine-facts.ts';
import type { PreflightDeps } from '../finding.ts';
import { installPackages } from './engine-packages.ts';
import { ENGINE_LOG, startEngine } from './engine-start.ts';
import { packagePlan } from './package-plan.ts';
import type { Repair } from './repair.ts';

const DOCS = 'https://docs.docker.com/engine/install/';

/** The way to an engine that answers, for the situation this machine is in. */
export async function engineRepair(deps: PreflightDeps, facts: EngineFacts): Promise<Repair> {
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
    return { remedy: `Start Docker Desktop, or install it: ${DOCS}` };
  }
  const daemon = await findDaemon(deps);
  if (daemon !== undefined && facts.client !== undefined) return startRepair(deps, daemon);
  return installRepair(deps);
}

/** dockerd on PATH or in the folders for root's programs, which the PATH of a user may lack. */
export async function findDaemon(deps: PreflightDeps): Promise<string | undefined> {
  const sbin = ['/usr/local/sbin', '/usr/sbin', '/sbin'].map((folder) => deps.machine.real(folder));
  return findProgram('dockerd', [deps.env['PATH'] ?? '', ...sbin].join(':'));
}

async function startRepair(deps: PreflightDeps, daemon: string): Promise<Repair> {
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

async function installRepair(deps: PreflightDeps): Promise<Repair> {
  const plan = await packagePlan(deps.machine);
  if (plan === undefined) return { remedy: `Install Docker Engine: ${DOCS}` };
  if (!deps.machine.root) {
    return { remedy: `sudo npm run doctor -- --fix   (${plan.words})\nor install Docker Engine: ${DOCS}` };
  }
  return {
    remedy: `npm run doctor -- --fix   (${plan.words})\nor install Docker Engine: ${DOCS}`,
    changes: `install ${plan.words} and start the engine, log in ${ENGINE_LOG}`,
    fix: async () => {
      await installPackages(deps, plan, plan.packages);
      const daemon = await findDaemon(deps);
      await startEngine(deps, daemon ?? join('/usr/sbin', 'dockerd'));
    },
  };
}
