import { throwIfAborted } from '../../../core/deadline.ts';
import { withImagesOfChecks } from '../../plan/images-of-checks.ts';
import { selectChecks } from '../../plan/select-checks.ts';
import { listChecks } from '../vitest-runner.ts';
import type { Task } from '../task.ts';

/**
 * Lists the checks that the suites declare and chooses those of this run. The first task: an empty selection is wrong usage, and wrong
 * usage creates nothing. What it chooses is what has to be reported in the end.
 *
 * @throws UsageError when something that was asked for has no check; InfrastructureError `E_COLLECT` when a file cannot be loaded
 */
export const selection: Task = {
  title: 'selection',
  async setup(run, { signal }) {
    const { project, plan, options } = run;
    const projects = plan.suites.map(({ definition }) => ({
      name: definition.name,
      file: definition.code?.checks ?? project.checksFile,
    }));
    const declared = await listChecks({ root: project.root, projects });
    throwIfAborted(signal);
    run.selection = selectChecks(plan, options, declared);
    run.plan = withImagesOfChecks(plan, run.selection);
  },
};
