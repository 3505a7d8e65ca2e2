/** `npm run e2e`: see harness/run/plan/options.ts for its options. */
import { mkdir } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { describeTopology, mergeTopologies } from '../clusters/topology.ts';
import { acquireRunLock } from '../clusters/run-lock.ts';
import { minimiseKubeconfig } from '../clusters/existing/minimise-kubeconfig.ts';
import { EXIT } from '../harness/core/errors.ts';
import { checkSubjectFiles } from '../harness/kube/helm/subject-files.ts';
import { newRunId } from '../harness/core/run-id.ts';
import { parseOptions, type RunOptions } from '../harness/run/plan/options.ts';
import { describePlan, planRun, type RunPlan } from '../harness/run/plan/plan.ts';
import { loadCatalogue, loadUncheckedSuites } from '../suites/index.ts';
import { interruptSignal } from './interrupt.ts';
import { runsDirectory } from './project.ts';
import { reportFailure } from './report-failure.ts';

const DAY_MS = 86_400_000;

/** Parses, plans and runs; the exit code is that of the process. */
export async function main(argv: readonly string[]): Promise<number> {
  const print = (text: string): void => {
    process.stdout.write(text);
  };
  try {
    const options = parseOptions(argv, print);
    if (!options) return EXIT.passed;
    if (options.list) {
      const { formatRequirements, listRequirements } = await import('./e2e/requirements.ts');
      const rows = await listRequirements(options);
      print(options.json ? `${JSON.stringify(rows, null, 2)}\n` : formatRequirements(rows));
      return EXIT.passed;
    }
    const plan = planRun(
      options,
      await loadCatalogue(),
      newRunId(),
      Math.floor(Date.now() / DAY_MS),
      await loadUncheckedSuites(),
    );
    await rejectBadFiles(options);
    if (options.dryRun) {
      print(dryRun(plan, options));
      return EXIT.passed;
    }
    return await run(options, plan, ['npm run e2e --', ...argv].join(' '));
  } catch (error) {
    return reportFailure(error, (text) => process.stderr.write(text));
  }
}

/** Runs a plan with signals, lock and reports around it; `npm test` uses it as well. */
export async function run(options: RunOptions, plan: RunPlan, commandLine: string): Promise<number> {
  // vitest and the Kubernetes client take a second to load: a slip of the pen is told without them.
  const [{ executeRun }, { createObservers }, { createPorts }] = await Promise.all([
    import('../harness/run/runner/run.ts'),
    import('./e2e/observers.ts'),
    import('./e2e/ports.ts'),
  ]);
  const runDirectory = resolve(options.out ?? join(runsDirectory, plan.runId));
  await mkdir(runDirectory, { recursive: true });
  // By the plan's id, which is on everything that the run makes; with --out the folder is called otherwise.
  const lock = await acquireRunLock(runDirectory, { run: plan.runId });
  const interrupt = interruptSignal();
  try {
    return await executeRun({
      options,
      plan,
      runDirectory,
      signal: interrupt.signal,
      ports: createPorts({ options, plan, observers: createObservers(options), commandLine, lock }),
    });
  } finally {
    interrupt.dispose();
    await lock.release();
  }
}

function dryRun(plan: RunPlan, options: RunOptions): string {
  const topology = mergeTopologies(plan.suites.map((s) => s.definition.topology));
  if (options.json) {
    const suites = plan.suites.map(({ definition, ...rest }) => ({ suite: definition.name, ...rest }));
    return `${JSON.stringify({ topology, suites }, null, 2)}\n`;
  }
  return `${describePlan(plan, describeTopology(topology)).join('\n')}\n`;
}

/** Paths that the user gave have to exist before anything is prepared. */
async function rejectBadFiles(options: RunOptions): Promise<void> {
  await checkSubjectFiles(options);
  const { kubeconfig, context } = options;
  if (kubeconfig !== undefined && context !== undefined) await minimiseKubeconfig(kubeconfig, context);
}
