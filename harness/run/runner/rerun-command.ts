import type { TestRun } from './test-run.ts';

/**
 * The command that runs the checks of one requirement again: short enough for a line of a terminal. With options of the
 * user's own, `--rerun` takes them from the run's directory.
 */
export function rerunCommand(
  { options, plan, directory }: Pick<TestRun, 'options' | 'plan' | 'directory'>,
  requirement: string,
): string {
  const own =
    options.chart !== undefined ||
    options.reference !== undefined ||
    plan.suites.some(({ definition }) => definition.code !== undefined) ||
    options.values.length > 0 ||
    options.set.length > 0 ||
    options.prerequisites.length > 0 ||
    Object.keys(options.images).length > 0 ||
    options.cluster === 'existing';
  return [
    'npm run e2e --',
    `--requirement ${requirement}`,
    ...(own ? [`--rerun ${options.out === undefined ? plan.runId : directory}`] : []),
    ...(options.cluster === 'existing' ? [] : ['--reuse']),
  ].join(' ');
}
