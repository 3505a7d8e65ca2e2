/** `npm run sweep`: removes what earlier runs left behind. */
import { join } from 'node:path';
import { Command } from '@commander-js/extra-typings';
import type { SweepItem } from '../clusters/cleanup/sweep.ts';
import { sweepLeftovers } from '../clusters/cleanup/sweep.ts';
import { createCommandRunner } from '../harness/core/command.ts';
import { systemClock } from '../harness/core/deadline.ts';
import { EXIT } from '../harness/core/errors.ts';
import { createFileLog } from '../harness/core/log.ts';
import { parseArguments } from '../harness/run/plan/parse-arguments.ts';
import { interruptSignal } from './interrupt.ts';
import { cacheDirectory, runsDirectory } from './project.ts';
import { reportFailure } from './report-failure.ts';

const EXAMPLES = `
Examples:
  npm run sweep                      clusters, containers, volumes and files of runs that have ended
  npm run sweep -- --dry-run         only list what would be removed
  npm run sweep -- --run kp-desk     the kept cluster kp-desk and its kubeconfigs
  npm run sweep -- --all --network   everything of kindproof, and kind's network if no container is connected

Runs in progress are never touched. Reports in runs/ are kept.
Exit codes: 0 swept, 2 wrong usage, 3 something could not be removed, 130 interrupted.`;

/** Writes the result to standard output and returns the exit code. */
export async function sweep(argv: readonly string[]): Promise<number> {
  const interrupt = interruptSignal();
  const command = new Command('sweep')
    .description('Removes what earlier runs left in the container engine and on disk.')
    .option('--run <id>', 'only what belongs to this run or this cluster, kept or not')
    .option('--all', 'also kept clusters, and what has no record of its run on this machine', false)
    .option('--network', "also kind's shared network, if no container is connected", false)
    .option('--dry-run', 'only list what would be removed', false)
    .option('--json', 'machine-readable result', false)
    .addHelpText('after', EXAMPLES);
  try {
    const options = parseArguments(command, argv, (text) => process.stdout.write(text));
    if (!options) return EXIT.passed;
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
  // The kubeconfig of a kept cluster is part of the cluster.
  const shown = items.filter(
    ({ kind, action }) => kind !== 'record' && !(kind === 'file' && action === 'left'),
  );
  const lines = shown.map(({ action, kind, name, reason }) =>
    [`${SIGNS[action]} ${kind} ${name}`, reason].filter((part) => part !== undefined).join(': '),
  );
  const count = (...actions: SweepItem['action'][]) =>
    shown.filter(({ action }) => actions.includes(action)).length;
  const done = dryRun ? `${count('would-remove')} would be removed` : `${count('removed', 'gone')} removed`;
  const rest = [done, `${count('left')} left`, ...(count('failed') > 0 ? [`${count('failed')} failed`] : [])];
  return `${[...lines, shown.length === 0 ? 'No leftovers found.' : rest.join(', ')].join('\n')}\n`;
}

export { sweep as main };
