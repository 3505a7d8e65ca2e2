/** What earlier runs, of this clone and of others, left on this machine. */
import { findLeftovers, summariseLeftovers } from '../clusters/cleanup/leftovers.ts';
import { sweepLeftovers } from '../clusters/cleanup/sweep.ts';
import type { CommandRunner } from '../harness/core/command.ts';
import { systemClock } from '../harness/core/deadline.ts';
import { InfrastructureError } from '../harness/core/errors.ts';
import type { Log } from '../harness/core/log.ts';
import type { PreflightDeps } from '../harness/host/preflight/finding.ts';
import { runsDirectory } from './project.ts';

const registry = { runsDir: runsDirectory };
const now = () => systemClock.now();

/** Everything that earlier runs left, with its owner. Read-only. */
export function machineLeftovers(run: CommandRunner): ReturnType<typeof findLeftovers> {
  return findLeftovers({ run, registry, now });
}

/** How preflight lists leftovers and removes those of runs that have ended. */
export function leftoversForPreflight(
  run: CommandRunner,
  log: Log,
  signal: AbortSignal,
): Required<Pick<PreflightDeps, 'leftovers' | 'removeLeftovers'>> {
  return {
    leftovers: async () => summariseLeftovers(await machineLeftovers(run)),
    async removeLeftovers() {
      const items = await sweepLeftovers({ run, registry, now, clock: systemClock, log, signal });
      const failed = items.filter(({ action }) => action === 'failed');
      if (failed.length === 0) return;
      const list = failed.map(({ kind, name, reason }) => `${kind} ${name}: ${reason}`).join('; ');
      throw new InfrastructureError('E_SWEEP', list, { hint: 'run `npm run sweep`' });
    },
  };
}
