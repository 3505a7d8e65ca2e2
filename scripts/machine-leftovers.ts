import { findLeftovers } from '../clusters/cleanup/leftovers.ts';
import type { CommandRunner } from '../harness/core/command.ts';
import { runsDirectory } from './project.ts';

/** What earlier runs, of this clone and of others, left on this machine. */
export function machineLeftovers(run: CommandRunner): ReturnType<typeof findLeftovers> {
  return findLeftovers({ run, registry: { runsDir: runsDirectory }, now: () => Date.now() });
}
