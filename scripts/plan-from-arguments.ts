/** From options, or the arguments of `npm run e2e`, to a plan whose files exist. */
import { minimiseKubeconfig } from '../clusters/existing/minimise-kubeconfig.ts';
import { newRunId } from '../harness/core/run-id.ts';
import { checkSubjectFiles } from '../harness/kube/helm/subject-files.ts';
import { readPrerequisites } from '../harness/kube/manifests/prerequisites.ts';
import { parseOptions, type RunOptions } from '../harness/run/plan/options.ts';
import { planRun, type RunPlan } from '../harness/run/plan/plan.ts';
import { loadUncheckedSuites } from '../suites/index.ts';
import { catalogueWith, withGivenSuites } from './given-suites.ts';

const DAY_MS = 86_400_000;

/**
 * Parses and plans.
 *
 * @throws UsageError when the arguments contradict each other or name something that does not exist
 */
export async function planFromArguments(
  argv: readonly string[],
): Promise<{ options: RunOptions; plan: RunPlan }> {
  const options = parseOptions(argv, () => {});
  if (!options) throw new TypeError('--help has no plan');
  return { options, plan: await planFromOptions(options) };
}

/**
 * A plan with a new run id. Creates nothing.
 *
 * @throws UsageError when an option names something that does not exist, or a file that cannot be read
 */
export async function planFromOptions(options: RunOptions): Promise<RunPlan> {
  // `--sample` rotates daily.
  const day = Math.floor(Date.now() / DAY_MS);
  const { options: named, given } = await withGivenSuites(options);
  const catalogue = await catalogueWith(given);
  const plan = planRun(named, catalogue, newRunId(), day, await loadUncheckedSuites());
  await rejectBadFiles(options);
  for (const { definition, subject, references } of plan.suites) {
    for (const { platform } of [subject, ...Object.values(references)])
      if (platform !== undefined) await definition.platform?.validate(platform);
  }
  return plan;
}

async function rejectBadFiles(options: RunOptions): Promise<void> {
  await checkSubjectFiles(options);
  await readPrerequisites(options.prerequisites);
  await checkSubjectFiles({ chart: options.previous, values: options.previousValues, set: [] });
  const { kubeconfig, context } = options;
  if (kubeconfig !== undefined && context !== undefined) await minimiseKubeconfig(kubeconfig, context);
}
