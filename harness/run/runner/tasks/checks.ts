import { CheckFailure, InfrastructureError } from '../../../core/errors.ts';
import { count } from '../../../core/wording.ts';
import type { CheckResult, Proof } from '../../report/model.ts';
import type { ClusterDescriptor, WorkerConfig } from '../../suite/worker-config.ts';
import { withDigests } from './images.ts';
import { removeServices } from '../remove-services.ts';
import { rerunCommand } from '../rerun-command.ts';
import type { Task } from '../task.ts';
import type { TestRun } from '../test-run.ts';
import type { CheckListener, RunnerSummary } from '../result-reporter.ts';
import type { CheckProject } from '../vitest-runner.ts';
import { runChecks } from '../vitest-runner.ts';

/** Runs the checks and proofs of all suites in a worker and collects their results. */
export const checks: Task = {
  title: 'checks',
  async setup(run, { signal }) {
    const summary = await runChecks({
      root: run.project.root,
      projects: run.plan.suites.flatMap((suite) => projectsOf(run, suite)),
      tags: run.options.tags,
      signal,
      listener: listenerOf(run),
    });
    rejectIncomplete(run, summary);
  },
  teardown: (run) => removeServices(run),
};

function projectsOf(run: TestRun, suite: TestRun['plan']['suites'][number]): CheckProject[] {
  const { plan, project, options, directory, secrets, tools } = run;
  const { definition, subject, select, faults } = suite;
  const config: Omit<WorkerConfig, 'mode'> = {
    runId: plan.runId,
    runDirectory: directory,
    suite: definition.name,
    subject: { ...subject, images: withDigests(subject.images, run.images) },
    cluster: clusterOf(run),
    helmPath: tools.helm,
    secrets: secrets.of(definition.name),
    redact: secrets.all,
    ...(options.shard && { shard: options.shard }),
    ...(select && { select }),
  };
  const projects: CheckProject[] = [];
  if (plan.checks) {
    projects.push({ name: definition.name, file: project.checksFile, config: { ...config, mode: 'check' } });
  }
  if (faults.length > 0) {
    projects.push({
      name: `${definition.name} faults`,
      file: project.proofsFile,
      config: { ...config, mode: 'prove', faults },
    });
  }
  return projects;
}

function clusterOf({ cluster, options }: TestRun): ClusterDescriptor {
  const { provider, name, kubeconfig, context, kubernetes } = cluster;
  const isCleaned = options.cluster === 'existing' || options.reuse;
  const fate = options.keep ? 'kept' : isCleaned ? 'cleaned' : 'deleted';
  return { provider, name, kubeconfig, context, kubernetes, fate };
}

function listenerOf(run: TestRun): CheckListener {
  const { report } = run;
  return {
    onStart: ({ id, title }, suite) => run.emit({ type: 'check-started', suite, id, title }),
    onCapabilities(proven) {
      const known = report.cluster?.capabilities;
      known?.push(...proven.filter(({ name }) => !known.some((k) => k.name === name)));
    },
    onCheck(result) {
      const check = run.options.strict ? withoutSkip(result) : result;
      report.checks.push(check);
      const rerun = rerunCommand(run, check.requirements[0] ?? '');
      run.emit({ type: 'check-ended', check, suite: check.suite, rerun });
    },
    onProof(proof: Proof) {
      (report.proofs ??= []).push(proof);
      run.emit({ type: 'proof-ended', proof });
    },
  };
}

function withoutSkip(check: CheckResult): CheckResult {
  if (check.status !== 'skipped') return check;
  const reason = `skipped, and --strict allows no skips: ${check.reason ?? ''}`;
  return { ...check, status: 'failed', reason };
}

/**
 * A run whose checks did not all run has no verdict.
 *
 * @throws InfrastructureError `E_CLUSTER_LOST`, `E_SUITE`, `E_CHECKS_NOT_MADE`; CheckFailure `E_NOTHING_CHECKED`
 */
function rejectIncomplete(run: TestRun, { interrupted, infrastructure, errors }: RunnerSummary): void {
  const { report } = run;
  if (interrupted) throw run.interruption();
  if (infrastructure) {
    throw new InfrastructureError('E_CLUSTER_LOST', infrastructure.message, { hint: infrastructure.hint });
  }
  if (errors.length > 0) {
    throw new InfrastructureError('E_SUITE', `not all checks could run: ${errors.join('; ')}`, {
      hint: 'This is a defect of the suite or of kindproof, not of the chart.',
    });
  }
  const errored = report.checks.filter(({ status }) => status === 'errored');
  const [first] = errored;
  if (first && !report.checks.some(({ status }) => status === 'failed')) {
    throw new InfrastructureError(
      'E_CHECKS_NOT_MADE',
      `${count(errored.length, 'check')} could not run, first ${first.id}: ${first.reason ?? ''}`,
      { hint: 'The chart is not the cause: run again, and see run.jsonl if it fails again.' },
    );
  }
  if (report.checks.length === 0 && (report.proofs ?? []).length === 0) {
    throw new CheckFailure('E_NOTHING_CHECKED', 'no check ran: the selection is empty', {
      hint: 'See --requirement, --tags and --fault; `npm run -s e2e -- --list` lists what exists.',
    });
  }
}
