/**
 * `npm test`: lint, types and unit tests, then all suites and a rotating sample of their faults on one real cluster, then short forms of
 * `npm run registry-path` and `npm run torture`.
 *
 * The last line sums up everything: `N passed, N failed, N skipped`.
 */
import { readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import pLimit from 'p-limit';
import { z } from 'zod';
import { createCommandRunner, type CommandRunner } from '../harness/core/command.ts';
import { seconds } from '../harness/core/deadline.ts';
import { EXIT, UsageError } from '../harness/core/errors.ts';
import { countsOf, type Counts } from '../harness/run/report/verdict.ts';
import { main as e2e } from './e2e.ts';
import { interruptSignal } from './interrupt.ts';
import { cacheDirectory, projectRoot, runsDirectory } from './project.ts';
import { readReport } from './read-report.ts';
import { CASES } from './registry-path/cases.ts';
import { runRegistryPath } from './registry-path.ts';
import { reportFailure } from './report-failure.ts';
import { SCENARIOS } from './torture/scenarios.ts';
import { runTorture } from './torture.ts';
import { quickOf } from './listed-command.ts';

/** Faults of each suite in one run; the sample rotates daily. `npm run prove` injects all. */
const FAULT_SAMPLE = 2;

const UNIT_REPORT = join(cacheDirectory, 'unit-tests.json');

const FOLDERS = ['harness', 'clusters', 'fixtures', 'suites', 'scripts'];

const STEPS: readonly { name: string; command: readonly [string, ...string[]] }[] = [
  {
    name: 'lint',
    command: ['npx', 'eslint', '.', '--max-warnings', '0', '--cache', '--cache-location', '.cache/eslint'],
  },
  { name: 'format', command: ['npx', 'prettier', '--check', '.', '--log-level', 'warn'] },
  { name: 'import cycles', command: ['npx', 'depcruise', ...FOLDERS] },
  { name: 'unused code', command: ['npx', 'knip', '--no-config-hints'] },
  { name: 'code for tests only', command: ['npx', 'knip', '--production'] },
  { name: 'types', command: ['npx', 'tsc', '--noEmit'] },
];

/** Runs every static step even after a failure, but creates the cluster only when all of them passed. */
export async function main(argv: readonly string[]): Promise<number> {
  const interrupt = interruptSignal();
  try {
    if (argv.length > 0) {
      throw new UsageError('E_OPTION', `npm test takes no options, got ${argv.join(' ')}`, {
        hint: 'For single suites and checks there is `npm run e2e -- --help`.',
      });
    }
    const run = createCommandRunner({ signal: interrupt.signal });
    const tally: Counts = { passed: 0, failed: 0, skipped: 0 };
    // Each uses one core; the first takes about as long as all others.
    const limit = pLimit(2);
    for (const passed of await Promise.all(STEPS.map((step) => limit(() => staticStep(run, step)))))
      tally[passed ? 'passed' : 'failed'] += 1;
    add(tally, await unitTests(run));
    interrupt.dispose();
    if (tally.failed > 0) return finish(tally, EXIT.checkFailed);
    const exitCode = await e2e(['--all', '--prove', '--checks', '--sample', String(FAULT_SAMPLE)]);
    // Wrong usage starts no run; `latest` is an older one.
    if (exitCode !== EXIT.usage) add(tally, countsOf(await readReport(join(runsDirectory, 'latest'))));
    if (exitCode !== EXIT.interrupted) {
      // After the run, which installs an engine on a bare machine.
      const own = interruptSignal();
      try {
        add(tally, await runRegistryPath(quickOf(CASES), own.signal));
        add(tally, await runTorture(quickOf(SCENARIOS), own.signal));
      } finally {
        own.dispose();
      }
    }
    return finish(tally, exitCode);
  } catch (error) {
    return reportFailure(error, (text) => process.stderr.write(text));
  } finally {
    interrupt.dispose();
  }
}

async function staticStep(run: CommandRunner, { name, command }: (typeof STEPS)[number]): Promise<boolean> {
  const [file, ...args] = command;
  const result = await run.run(file, args, { cwd: projectRoot, reject: false, timeoutMs: 600_000 });
  const passed = result.exitCode === 0;
  console.log(`${passed ? '✓' : '✗'} ${name}  ${seconds(result.durationMs)}`);
  if (!passed) console.log(`${result.stdout}${result.stderr}`.trimEnd());
  return passed;
}

const vitestReport = z.object({
  numPassedTests: z.number(),
  numFailedTests: z.number(),
  numPendingTests: z.number(),
  numFailedTestSuites: z.number(),
});

async function unitTests(run: CommandRunner): Promise<Counts> {
  const args = ['vitest', 'run', '--reporter=dot', '--reporter=json', `--outputFile.json=${UNIT_REPORT}`];
  // Do not mistake the report of an earlier run for this one's.
  await rm(UNIT_REPORT, { force: true });
  const options = { cwd: projectRoot, reject: false, timeoutMs: 600_000 };
  // Without KINDPROOF_CODE, the tests run the sources, not what scripts/run.mjs has compiled for this command. Five thousand coloured dots
  // would hide the failure that is printed after them.
  const env = { KINDPROOF_CODE: undefined, NO_COLOR: '1' };
  const result = await run.run('npx', args, { ...options, env });
  const counts = await readUnitReport();
  const passed = result.exitCode === 0;
  console.log(
    `${passed ? '✓' : '✗'} unit tests  ${seconds(result.durationMs)}  ${counts.numPassedTests} passed`,
  );
  if (!passed) console.log(`${result.stdout}${result.stderr}`.trimEnd());
  // A file that fails to load has no failed tests, but the run has failed.
  const failed = counts.numFailedTests + (passed || counts.numFailedTests > 0 ? 0 : 1);
  return { passed: counts.numPassedTests, failed, skipped: counts.numPendingTests };
}

async function readUnitReport(): Promise<z.infer<typeof vitestReport>> {
  // vitest may have died before it wrote the report; its exit code is then the failure.
  const text = await readFile(UNIT_REPORT, 'utf8').catch(() => undefined);
  if (text !== undefined) return vitestReport.parse(JSON.parse(text));
  return { numPassedTests: 0, numFailedTests: 0, numPendingTests: 0, numFailedTestSuites: 0 };
}

function add(sum: Counts, part: Counts): void {
  sum.passed += part.passed;
  sum.failed += part.failed;
  sum.skipped += part.skipped;
}

function finish({ passed, failed, skipped }: Counts, exitCode: number): number {
  console.log('\nlint, types, unit tests, checks, faults, registries and torture together:');
  console.log(`${passed} passed, ${failed} failed, ${skipped} skipped`);
  return failed > 0 && exitCode === EXIT.passed ? EXIT.checkFailed : exitCode;
}
