import { systemClock } from '../../../core/deadline.ts';
import { InfrastructureError } from '../../../core/errors.ts';
import type { Finding } from '../../../host/preflight/finding.ts';
import { sentenceOf } from '../../../host/preflight/finding.ts';
import { localMachine } from '../../../host/preflight/machine.ts';
import { runPreflight } from '../../../host/preflight/preflight.ts';
import type { Step } from '../step.ts';
import type { Task } from '../task.ts';
import type { TestRun } from '../test-run.ts';

/** Inspects this machine and fixes what can be fixed. */
export const preflight: Task = {
  title: 'preflight',
  async setup(run, step) {
    const findings = await inspect(run, step);
    for (const finding of findings) report(run, finding);
    const problems = findings.filter(({ status }) => status === 'problem');
    if (problems.length === 0) return;
    throw new InfrastructureError(
      'E_PREFLIGHT',
      problems.map((problem) => `${sentenceOf(problem)} ${problem.why}`).join('\n'),
      { hint: problems.map(({ remedy }) => remedy).join('\n') },
    );
  },
};

async function inspect({ project, provider }: TestRun, step: Step): Promise<Finding[]> {
  const { command, log, signal, onProgress } = step;
  return runPreflight(
    {
      run: command,
      log,
      clock: systemClock,
      machine: localMachine(),
      env: process.env,
      projectDir: project.root,
      cacheDir: project.cacheDirectory,
      onProgress,
      confirm: (question) => project.confirm(question, signal),
      ...project.earlierRuns(step),
      signal,
    },
    {
      fix: true,
      interactive: process.stdin.isTTY,
      // The task `tools` resolves the tools and shows what it does meanwhile.
      need: { ...(await provider.preflightNeed(command)), buildImages: true, tools: [] },
    },
  );
}

function report(run: TestRun, finding: Finding): void {
  if (finding.status === 'warning') run.warn(`${sentenceOf(finding)} ${finding.why}`, finding.remedy);
  if (finding.status === 'fixed') run.warn(`${finding.title}: fixed (${finding.found})`);
}
