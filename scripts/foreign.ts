/**
 * `npm run foreign`: runs every suite on a chart that shares nothing with the references, and on references under other names. Only checks
 * about names may be red.
 */
import { join, resolve } from 'node:path';
import { Command } from '@commander-js/extra-typings';
import { EXIT, UsageError } from '../harness/core/errors.ts';
import { count } from '../harness/core/wording.ts';
import { parseArguments } from '../harness/run/plan/parse-arguments.ts';
import { ABOUT_NAMES, NEED_DATABASE, RENAMED } from '../suites/about-names.ts';
import { suites } from '../suites/index.ts';
import { run } from './e2e.ts';
import { readRunReport } from './gate/run-report.ts';
import { compareWithNames, type Stranger, type StrangerResult } from './foreign/compare-with-names.ts';
import { planFromArguments } from './plan-from-arguments.ts';
import { projectRoot, runsDirectory } from './project.ts';
import { reportFailure } from './report-failure.ts';

const fixtures = join(projectRoot, 'fixtures');

const EXAMPLES = `
Examples:
  npm run foreign                             every suite, on a cluster of its own
  npm run foreign -- --suite toolman --reuse  one suite on the kept cluster
  npm run foreign -- --chart switchyard       one chart

Exit codes: 0 exactly the checks about names are red, 1 another check is red or one of them is not, 2 wrong usage, 3 a check errored or a run
ended early, 130 interrupted.`;

/** Returns the exit code. */
export async function main(argv: readonly string[]): Promise<number> {
  const print = (text: string): void => {
    process.stdout.write(`${text}\n`);
  };
  const command = new Command('foreign')
    .description('Runs every suite on charts that are not the reference.')
    .option('--suite <name...>', 'only these suites')
    .option('--chart <name...>', 'only these charts: foreign, or a reference under other names')
    .option('--reuse', 'use the kept cluster if it fits, and keep it again', false)
    .addHelpText('after', EXAMPLES);
  try {
    const flags = parseArguments(command, argv, print);
    if (!flags) return EXIT.passed;
    const { suite, chart, reuse } = flags;
    const chosen = strangers().filter(
      (one) => (suite?.includes(one.suite) ?? true) && (chart?.includes(one.chart) ?? true),
    );
    if (chosen.length === 0) {
      throw new UsageError('E_OPTION', 'no chart fits --suite and --chart', {
        hint: `There are: ${strangers()
          .map((one) => `${one.suite} on ${one.chart}`)
          .join(', ')}`,
      });
    }
    const results: StrangerResult[] = [];
    for (const stranger of chosen) {
      const ended = await resultOf(stranger, reuse);
      if (typeof ended === 'number') return ended;
      results.push(ended);
    }
    return conclude(results, print);
  } catch (error) {
    return reportFailure(error, (text) => process.stderr.write(text));
  }
}

function strangers(): Stranger[] {
  const foreign = suites.map(({ name }) => ({
    suite: name,
    chart: 'foreign',
    path: 'charts/foreign',
    red: ABOUT_NAMES.filter((id) => id.startsWith(`${name}/`) && !NEED_DATABASE.includes(id)),
  }));
  return [...foreign, ...RENAMED];
}

/** The result of a run; its exit code when it was interrupted or ended early. */
async function resultOf(stranger: Stranger, reuse: boolean): Promise<StrangerResult | number> {
  const { suite, path, values, set = [] } = stranger;
  const args = [
    ...['--suite', suite, '--chart', join(fixtures, path)],
    ...(values === undefined ? [] : ['--values', join(fixtures, 'values', values)]),
    ...set.flatMap((pair) => ['--set', pair]),
    ...(reuse ? ['--reuse'] : []),
  ];
  const { options, plan } = await planFromArguments(args);
  const notBefore = Date.now();
  const exitCode = await run(options, plan, ['npm run e2e --', ...args].join(' '));
  if (exitCode === EXIT.usage || exitCode === EXIT.interrupted) return exitCode;
  const report = await readRunReport(resolve(runsDirectory, plan.runId), {
    id: plan.runId,
    notBefore,
    exitCode,
  });
  // A suite of which nothing applies has no verdict, and complete results.
  const isComplete = report.checks.length === (report.plan?.checks.length ?? -1);
  return isComplete ? { stranger, checks: report.checks } : EXIT.infrastructure;
}

function conclude(results: readonly StrangerResult[], print: (line: string) => void): number {
  const compared = results.map(compareWithNames);
  for (const { lines, title, checks, unfit, wrong, errored } of compared) {
    print(
      [
        ...lines,
        `${title}: ${count(checks, 'check')}, ${unfit} not applicable, ${wrong} not as expected, ${errored} errored`,
      ].join('\n'),
    );
  }
  if (compared.some(({ wrong }) => wrong > 0)) return EXIT.checkFailed;
  return compared.some(({ errored }) => errored > 0) ? EXIT.infrastructure : EXIT.passed;
}
