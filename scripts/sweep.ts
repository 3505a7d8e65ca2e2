/** `npm run sweep`: removes what earlier runs left behind. */
import { join } from 'node:path';
import { Command, Option } from '@commander-js/extra-typings';
import { sweepCluster } from '../clusters/cleanup/sweep-cluster.ts';
import type { SweepAction } from '../clusters/cleanup/sweep.ts';
import { sweepLeftovers } from '../clusters/cleanup/sweep.ts';
import { requireContext } from '../clusters/existing/existing-provider.ts';
import { createCommandRunner } from '../harness/core/command.ts';
import { systemClock } from '../harness/core/deadline.ts';
import { EXIT, UsageError } from '../harness/core/errors.ts';
import { createFileLog, type Log } from '../harness/core/log.ts';
import { createKubeClient } from '../harness/kube/api/http-client.ts';
import { parseArguments, type OptionsOf } from '../harness/run/plan/parse-arguments.ts';
import { interruptSignal } from './interrupt.ts';
import { cacheDirectory, runsDirectory } from './project.ts';
import { reportFailure } from './report-failure.ts';

const EXAMPLES = `
Examples:
  npm run sweep                      clusters, containers, volumes and files of runs that have ended
  npm run sweep -- --dry-run         only list what would be removed
  npm run sweep -- --run kp-desk     the kept cluster kp-desk and its kubeconfigs
  npm run sweep -- --all --network   everything of kindproof, and kind's network if no container is connected
  npm run sweep -- --cluster existing --kubeconfig ./staging.yaml --context staging
                                     what killed runs left on an existing cluster

Runs in progress are never touched. Reports in runs/ are kept.
Exit codes: 0 swept, 2 wrong usage, 3 something could not be removed, 130 interrupted.`;

function sweepCommand() {
  return new Command('sweep')
    .description(
      'Removes what earlier runs left in the container engine, on disk, or on an existing cluster.',
    )
    .addOption(
      new Option('--cluster <provider>', 'existing: sweep that cluster instead of this machine')
        .choices(['kind', 'existing'])
        .default('kind'),
    )
    .option('--kubeconfig <file>', 'kubeconfig file for --cluster existing')
    .option('--context <name>', 'kubeconfig context for --cluster existing')
    .option('--run <id>', 'only what belongs to this run or this cluster, kept or not')
    .option('--all', 'also kept clusters, and what has no record of its run on this machine', false)
    .option('--network', "also kind's shared network, if no container is connected", false)
    .option('--dry-run', 'only list what would be removed', false)
    .option('--json', 'machine-readable result', false)
    .addHelpText('after', EXAMPLES);
}

type Options = OptionsOf<ReturnType<typeof sweepCommand>>;

/** Something found, with what was done about it. */
interface Item {
  kind: string;
  name: string;
  action: SweepAction;
  reason?: string;
}

/** Writes the result to standard output and returns the exit code. */
export async function sweep(argv: readonly string[]): Promise<number> {
  const interrupt = interruptSignal();
  try {
    const options = parseArguments(sweepCommand(), argv, (text) => process.stdout.write(text));
    if (!options) return EXIT.passed;
    const log = createFileLog(join(cacheDirectory, 'sweep.log'));
    const sweepTarget = options.cluster === 'existing' ? sweepExisting : sweepMachine;
    const items = await sweepTarget(options, { log, signal: interrupt.signal });
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

const registry = { runsDir: runsDirectory };

function sweepMachine(options: Options, { log, signal }: { log: Log; signal: AbortSignal }): Promise<Item[]> {
  if (options.kubeconfig !== undefined || options.context !== undefined) {
    throw new UsageError('E_OPTION', '--kubeconfig and --context belong to --cluster existing', {
      hint: 'Add --cluster existing, or omit them.',
    });
  }
  const run = createCommandRunner({ log, signal });
  const now = () => systemClock.now();
  const deps = { run, registry, now, clock: systemClock, log, signal };
  return sweepLeftovers(deps, { ...options, runId: options.run });
}

async function sweepExisting(
  options: Options,
  { log, signal }: { log: Log; signal: AbortSignal },
): Promise<Item[]> {
  const cluster = requireContext(options);
  if (options.network) {
    throw new UsageError('E_OPTION', '--network belongs to --cluster kind', { hint: 'Omit it.' });
  }
  const kube = await createKubeClient({ ...cluster, log, signal });
  try {
    const deps = { kube, cluster, registry, clock: systemClock, log, signal };
    return await sweepCluster(deps, { ...options, runId: options.run });
  } finally {
    await kube.close();
  }
}

const SIGNS: Record<SweepAction, string> = {
  removed: '✓ removed',
  gone: '✓ gone already',
  'would-remove': '- would remove',
  left: '· left',
  failed: '✗ not removed',
};

function describe(items: readonly Item[], dryRun: boolean): string {
  const shown = items.filter(isShown);
  const lines = shown.map(({ action, kind, name, reason }) =>
    [`${SIGNS[action]} ${kind === 'record' ? 'run' : kind} ${name}`, reason]
      .filter((part) => part !== undefined)
      .join(': '),
  );
  const count = (...actions: SweepAction[]) => shown.filter(({ action }) => actions.includes(action)).length;
  const done = dryRun ? `${count('would-remove')} would be removed` : `${count('removed', 'gone')} removed`;
  const rest = [done, `${count('left')} left`, ...(count('failed') > 0 ? [`${count('failed')} failed`] : [])];
  return `${[...lines, shown.length === 0 ? 'No leftovers found.' : rest.join(', ')].join('\n')}\n`;
}

/** The kubeconfig of a kept cluster is part of the cluster. A record is only of interest when its run needs another sweep. */
function isShown({ kind, action, existing }: Item & { existing?: unknown }): boolean {
  if (kind === 'record') return action === 'left' && existing !== undefined;
  return kind !== 'file' || action !== 'left';
}

export { sweep as main };
