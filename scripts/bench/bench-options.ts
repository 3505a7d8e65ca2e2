/** The options of `npm run bench`. */
import { Command } from '@commander-js/extra-typings';
import { UsageError } from '../../harness/core/errors.ts';
import { parseArguments, positiveInteger, type OptionsOf } from '../../harness/run/plan/parse-arguments.ts';

const EXAMPLES = `
Each round measures:
  cluster, N nodes      from nothing until every system pod is Ready; N is the number of nodes of the suite, and 5
  load images           from the engine into all nodes
  suite, fresh cluster  a whole run: preflight, cluster, images, checks, cleanup
  suite, --reuse        the same on an existing kept cluster
  checks, --reuse       the checks alone
  Kubernetes' part      time in that run for probes and graceful termination, which no tool can shorten (scripts/bench/imposed.ts)
One unmeasured run comes first: it builds images and fills caches.

--bare measures nothing, because that would remove your engine and caches. It shows the phases of a run that started without them:
on a spare machine, clone, run \`npm run e2e -- --suite toolman\`, then \`npm run bench -- --bare\`.

--peers measures something else: in each round, on the same kept cluster, a chart with three replicas that are ready after 5 s is installed,
judged and uninstalled by helm alone (--wait), by chainsaw (built on first use, which needs Go), and by kindproof, in another order each time.

Examples:
  npm run bench                      three rounds, 15 minutes on two cores
  npm run -s bench -- --runs 1 --json
  npm run bench -- --bare runs/1121-1214-oih
  npm run bench -- --peers --runs 5

Exit codes: 0 measured, 1 a check failed, so the times are meaningless, 2 wrong usage, 3 the infrastructure failed, 130 interrupted.`;

function benchCommand() {
  return new Command('bench')
    .description('Measures how long clusters, image loading and suites take on this machine.')
    .option('--runs <count>', 'rounds', positiveInteger, 3)
    .option('--suite <name>', 'suite to measure with', 'toolman')
    .option('--json', 'machine-readable result with all samples', false)
    .option('--bare [run directory]', 'show a run that started on a bare machine instead of measuring')
    .option('--peers', 'measure beside helm and chainsaw, which are asked for the same', false)
    .addHelpText('after', EXAMPLES);
}

/** `bare`: a run directory, or `true` for the run in runs/ with the longest preparation. */
export type BenchOptions = OptionsOf<ReturnType<typeof benchCommand>>;

/**
 * Parses the command line.
 *
 * @returns undefined for `--help`, whose text is written to `out`
 * @throws UsageError `E_OPTION`
 */
export function parseBenchOptions(
  argv: readonly string[],
  out: (text: string) => void,
): BenchOptions | undefined {
  const command = benchCommand();
  const options = parseArguments(command, argv, out);
  if (options?.bare !== undefined && command.getOptionValueSource('runs') === 'cli') {
    throw new UsageError('E_OPTION', '--bare measures nothing, so --runs does not go with it', {
      hint: 'Omit one of them.',
    });
  }
  if (options?.peers && (options.bare !== undefined || command.getOptionValueSource('suite') === 'cli')) {
    throw new UsageError(
      'E_OPTION',
      '--peers measures a chart of its own, so --suite and --bare do not go with it',
      {
        hint: 'Omit them.',
      },
    );
  }
  return options;
}
