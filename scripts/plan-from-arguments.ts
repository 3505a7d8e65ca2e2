/** The way from arguments of `npm run e2e` to a plan, for the commands that start runs of their own. */
import { checkSubjectFiles } from '../harness/kube/helm/subject-files.ts';
import { parseOptions, type RunOptions } from '../harness/run/plan/options.ts';
import { planRun, type RunPlan } from '../harness/run/plan/plan.ts';
import { newRunId } from '../harness/core/run-id.ts';
import { loadCatalogue, loadUncheckedSuites } from '../suites/index.ts';

const DAY_MS = 86_400_000;

/**
 * Parses and plans, with a run id of its own.
 *
 * @throws UsageError when the arguments contradict one another or name something that does not exist
 */
export async function planFromArguments(
  argv: readonly string[],
): Promise<{ options: RunOptions; plan: RunPlan }> {
  const options = parseOptions(argv, () => {});
  if (!options) throw new TypeError('help was asked for where a run was meant');
  const day = Math.floor(Date.now() / DAY_MS);
  const plan = planRun(options, await loadCatalogue(), newRunId(), day, await loadUncheckedSuites());
  await checkSubjectFiles(options);
  return { options, plan };
}
