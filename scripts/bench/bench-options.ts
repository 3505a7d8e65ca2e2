/** The options of `npm run bench`. */
import { Command, InvalidArgumentError } from 'commander';
import { UsageError } from '../../harness/core/errors.ts';
import { parseArguments } from '../parse-arguments.ts';

export interface BenchOptions {
  runs: number;
  suite: string;
  json: boolean;
  /** Only look at a run of a bare machine: its directory, or `true` for the one in runs/ that prepared longest. */
  bare: string | true | undefined;
}

const EXAMPLES = `
What is measured, in each round:
  cluster, N nodes      from nothing until every system pod is Ready; N is what the suite asks for, and 5
  load images           from the engine into all nodes
  suite, fresh cluster  a whole run: preflight, cluster, images, checks, taking down
  suite, --reuse        the same on a cluster that is there
  checks, --reuse       the checks alone
  Kubernetes' part      probes and graceful ends within that run that no tool can shorten (scripts/bench/imposed.ts)
One unmeasured run comes first, so that images are built and caches are warm.

--bare measures nothing itself, because that would take your engine and caches away. It shows the phases of a run that found
nothing there: take a machine that you can spare, clone, \`npm run e2e -- --suite toolman\`, then \`npm run bench -- --bare\`.

Examples:
  npm run bench                      three rounds, 15 minutes on two cores
  npm run -s bench -- --runs 1 --json
  npm run bench -- --bare runs/1121-1214-oih

Exit codes: 0 measured, 1 a check failed, so the times mean nothing, 2 wrong usage, 3 the infrastructure failed, 130 interrupted.`;

/**
 * Parses the command line.
 *
 * @returns undefined when only help was asked for; it has been written to `out`
 * @throws UsageError `E_OPTION`
 */
export function parseBenchOptions(
  argv: readonly string[],
  out: (text: string) => void,
): BenchOptions | undefined {
  const command = new Command('bench')
    .description('Measures how long clusters, image loading and suites take here.')
    .option('--runs <count>', 'rounds', positiveInteger, 3)
    .option('--suite <name>', 'suite to measure with', 'toolman')
    .option('--json', 'machine-readable result, all samples included', false)
    .option('--bare [run directory]', 'show a run of a bare machine instead of measuring')
    .addHelpText('after', EXAMPLES);
  if (!parseArguments(command, argv, out)) return undefined;
  const raw = command.opts<{ runs: number; suite: string; json: boolean; bare?: string | true }>();
  if (raw.bare !== undefined && command.getOptionValueSource('runs') === 'cli') {
    throw new UsageError('E_OPTION', '--bare measures nothing, so --runs does not go with it', {
      hint: 'Leave one of them out.',
    });
  }
  return { runs: raw.runs, suite: raw.suite, json: raw.json, bare: raw.bare };
}

function positiveInteger(text: string): number {
  if (!/^[1-9]\d*$/.test(text)) throw new InvalidArgumentError('a whole number from 1 on is needed.');
  return Number(text);
}
