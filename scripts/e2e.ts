/** `npm run e2e`: see harness/run/plan/options.ts for its options. */
import { describeTopology, mergeTopologies } from '../clusters/topology.ts';
import { maskArguments, maskSet } from '../harness/core/credentials.ts';
import { EXIT } from '../harness/core/errors.ts';
import { withImagesOfChecks } from '../harness/run/plan/images-of-checks.ts';
import { parseOptions, type RunOptions } from '../harness/run/plan/options.ts';
import { describePlan, type RunPlan } from '../harness/run/plan/plan.ts';
import { selectChecks } from '../harness/run/plan/select-checks.ts';
import type { SubjectSource } from '../harness/run/suite/worker-config.ts';
import { withSavedOptions } from './e2e/saved-options.ts';
import { interruptSignal } from './interrupt.ts';
import { planFromOptions } from './plan-from-arguments.ts';
import { withAbsoluteSuites } from './given-suites.ts';
import { checksFile, projectRoot } from './project.ts';
import { reportFailure } from './report-failure.ts';

/** Parses, plans and runs; the exit code is that of the process. */
export async function main(argv: readonly string[]): Promise<number> {
  const print = (text: string): void => {
    process.stdout.write(text);
  };
  try {
    const given = parseOptions(argv, print);
    if (!given) return EXIT.passed;
    const parsed = withAbsoluteSuites(given);
    if (parsed.list) {
      const { formatRequirements, listRequirements } = await import('./e2e/requirements.ts');
      const rows = await listRequirements(parsed);
      print(parsed.json ? `${JSON.stringify(rows, null, 2)}\n` : formatRequirements(rows));
      return EXIT.passed;
    }
    const options = await withSavedOptions(parsed);
    const plan = await planFromOptions(options);
    if (options.dryRun) {
      print(await dryRun(plan, options));
      return EXIT.passed;
    }
    return await run(options, plan, ['npm run e2e --', ...maskArguments(argv)].join(' '));
  } catch (error) {
    return reportFailure(error, (text) => process.stderr.write(text));
  }
}

/** Runs a plan and shows it on the terminal; the first signal and the time limit interrupt it. */
export async function run(options: RunOptions, plan: RunPlan, commandLine: string): Promise<number> {
  // vitest and the Kubernetes client take a second to load: wrong usage is reported without them.
  const [{ startRun }, { createReporters }] = await Promise.all([
    import('./e2e/start-run.ts'),
    import('./e2e/reporters.ts'),
  ]);
  const interrupt = interruptSignal({ timeoutMs: options.timeout });
  try {
    const reporters = createReporters(options);
    return await startRun({ options, plan, commandLine, reporters, signal: interrupt.signal });
  } finally {
    interrupt.dispose();
  }
}

function masked<T extends SubjectSource>(source: T): T {
  return { ...source, set: source.set.map(maskSet) };
}

async function dryRun(all: RunPlan, options: RunOptions): Promise<string> {
  const { listChecks } = await import('../harness/run/runner/vitest-runner.ts');
  const projects = all.suites.map(({ definition: { name, code } }) => ({
    name,
    file: code?.checks ?? checksFile,
  }));
  const selection = selectChecks(all, options, await listChecks({ root: projectRoot, projects }));
  const { chosen } = selection;
  const plan = withImagesOfChecks(all, selection);
  const topology = mergeTopologies(plan.suites.map((s) => s.definition.topology));
  if (options.json) {
    const suites = plan.suites.map(({ definition, subject, ...rest }) => ({
      suite: definition.name,
      subject: {
        ...masked(subject),
        ...(subject.previous && { previous: masked(subject.previous) }),
      },
      ...rest,
      checks: chosen.filter((check) => check.suite === definition.name).map(({ id }) => id),
    }));
    return `${JSON.stringify({ topology, suites }, null, 2)}\n`;
  }
  const follows =
    options.provide && options.cluster === 'kind' && plan.suites.some((s) => s.definition.anyChart);
  const nodes = `${describeTopology(topology)}${follows ? ', and what the chart asks for' : ''}`;
  const checks = chosen.length > 0 ? [`checks: ${chosen.map(({ id }) => id).join(', ')}`] : [];
  return `${[...describePlan(plan, nodes), ...checks].join('\n')}\n`;
}
