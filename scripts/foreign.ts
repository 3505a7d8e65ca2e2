/** `npm run foreign`: runs every suite on a chart that shares nothing with the references. Only checks about names may be red. */
import { join, resolve } from 'node:path';
import { Command } from '@commander-js/extra-typings';
import { EXIT } from '../harness/core/errors.ts';
import { count } from '../harness/core/wording.ts';
import { parseArguments } from '../harness/run/plan/parse-arguments.ts';
import { isNotApplicable } from '../harness/run/report/status.ts';
import type { CheckResult } from '../harness/run/report/model.ts';
import { ABOUT_NAMES } from '../suites/about-names.ts';
import { suites } from '../suites/index.ts';
import { run } from './e2e.ts';
import { readRunReport } from './gate/run-report.ts';
import { planFromArguments } from './plan-from-arguments.ts';
import { projectRoot, runsDirectory } from './project.ts';
import { reportFailure } from './report-failure.ts';

const CHART = join(projectRoot, 'fixtures', 'charts', 'foreign');

const EXAMPLES = `
Examples:
  npm run foreign                             every suite, on a cluster of its own
  npm run foreign -- --suite toolman --reuse  one suite on the kept cluster

Exit codes: 0 only checks about names are red, 1 another check is red, 2 wrong usage, 3 a check errored or a run ended early, 130 interrupted.`;

/** Returns the exit code. */
export async function main(argv: readonly string[]): Promise<number> {
  const print = (text: string): void => {
    process.stdout.write(`${text}\n`);
  };
  const command = new Command('foreign')
    .description('Runs every suite on a chart that shares nothing with the references.')
    .option('--suite <name...>', 'only these suites')
    .option('--reuse', 'use the kept cluster if it fits, and keep it again', false)
    .addHelpText('after', EXAMPLES);
  try {
    const flags = parseArguments(command, argv, print);
    if (!flags) return EXIT.passed;
    const checks: CheckResult[] = [];
    for (const suite of flags.suite ?? suites.map(({ name }) => name)) {
      const ended = await checksOn(suite, flags.reuse);
      if (typeof ended === 'number') return ended;
      checks.push(...ended);
    }
    return conclude(checks, print);
  } catch (error) {
    return reportFailure(error, (text) => process.stderr.write(text));
  }
}

/** The results of a suite; the exit code when the run was interrupted or ended early. */
async function checksOn(suite: string, reuse: boolean): Promise<CheckResult[] | number> {
  const args = ['--suite', suite, '--chart', CHART, ...(reuse ? ['--reuse'] : [])];
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
  return isComplete ? report.checks : EXIT.infrastructure;
}

function conclude(checks: readonly CheckResult[], print: (line: string) => void): number {
  const isRed = ({ id, status }: CheckResult): boolean => status === 'failed' && !ABOUT_NAMES.includes(id);
  const red = checks.filter(isRed);
  const errored = checks.filter(({ status }) => status === 'errored');
  for (const { id, status, reason = '' } of [...red, ...errored]) print(`${status}  ${id}  ${reason}`);
  const unfit = checks.filter(isNotApplicable).length;
  const named = checks.filter(({ id }) => ABOUT_NAMES.includes(id)).length;
  print(
    `${count(checks.length, 'check')}: ${unfit} not applicable, ${named} about names, ${red.length} red, ${errored.length} errored`,
  );
  if (red.length > 0) return EXIT.checkFailed;
  return errored.length > 0 ? EXIT.infrastructure : EXIT.passed;
}
