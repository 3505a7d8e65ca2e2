/** `npm run sweep`: removes what earlier runs left behind. */
import { join } from 'node:path';
import { Command } from 'commander';
import type { SweepItem } from '../clusters/sweep.ts';
import { sweepLeftovers } from '../clusters/sweep.ts';
import { createCommandRunner } from '../harness/core/command.ts';
import { systemClock } from '../harness/core/deadline.ts';
import { EXIT } from '../harness/core/errors.ts';
import { createFileLog } from '../harness/core/log.ts';
import { interruptSignal } from './interrupt.ts';
import { parseArguments } from './parse-arguments.ts';
import { cacheDirectory, runsDirectory } from './project.ts';
import { reportFailure } from './report-failure.ts';

const EXAMPLES = `
Examples:
  npm run sweep                      clusters, containers, volumes and files of runs that have ended
  npm run sweep -- --dry-run         only say what would go
  npm run sweep -- --run 1a2b3c      what belongs to one run, also if its cluster was kept
  npm run sweep -- --all --network   also what was kept on purpose, and kind's network when nothing is on it

Nothing of a run that is still going on is touched. Reports in runs/ stay.
Exit codes: 0 swept, 2 wrong usage, 3 something could not be removed, 130 interrupted.`;

/** The command; writes what it did to standard output and returns the exit code. */
export async function sweep(argv: readonly string[]): Promise<number> {
  const interrupt = interruptSignal();
  const command = new Command('sweep')
    .description('Removes what earlier runs left in the container engine and on disk.')
    .option('--run <id>', 'only what belongs to this run')
    .option('--all', 'also clusters that were kept on purpose', false)
    .option('--network', "also kind's shared network, when nothing is on it", false)
    .option('--dry-run', 'only say what would be removed', false)
    .option('--json', 'machine-readable result', false)
    .addHelpText('after', EXAMPLES);
  try {
    if (!parseArguments(command, argv, (text) => process.stdout.write(text))) return EXIT.passed;
    const options = command.opts<{
      run?: string;
      all: boolean;
      network: boolean;
      dryRun: boolean;
      json: boolean;
    }>();
    const log = createFileLog(join(cacheDirectory, 'sweep.log'));
    const items = await sweepLeftovers(
      {
        run: createCommandRunner({ log, signal: interrupt.signal }),
        registry: { runsDir: runsDirectory },
        now: () => systemClock.now(),
        clock: systemClock,
        log,
        signal: interrupt.signal,
      },
      { ...options, runId: options.run },
    );
    process.stdout.write(
      options.json ? `${JSON.stringify(items, null, 2)}\n` : describe(items, options.dryRun),
    );
    return items.some(({ action }) => action === 'failed') ? EXIT.infrastructure : EXIT.passed;
  } catch (error) {
    return reportFailure(error, (text) => process.stderr.write(text));
  } finally {
    interrupt.dispose();
  }
}

const SIGNS: Record<SweepItem['action'], string> = {
  removed: '✓ removed',
  gone: '✓ gone already',
  'would-remove': '- would remove',
  left: '· left',
  failed: '✗ not removed',
};

function describe(items: readonly SweepItem[], dryRun: boolean): string {
  const shown = items.filter(({ kind }) => kind !== 'record');
  const lines = shown.map(({ action, kind, name, reason }) =>
    [`${SIGNS[action]} ${kind} ${name}`, reason].filter((part) => part !== undefined).join(': '),
  );
  const count = (...actions: SweepItem['action'][]) =>
    shown.filter(({ action }) => actions.includes(action)).length;
  const done = dryRun ? `${count('would-remove')} would be removed` : `${count('removed', 'gone')} removed`;
  const rest = [done, `${count('left')} left`, ...(count('failed') > 0 ? [`${count('failed')} failed`] : [])];
  return `${[...lines, shown.length === 0 ? 'Nothing of ours was found.' : rest.join(', ')].join('\n')}\n`;
}

export { sweep as main };
