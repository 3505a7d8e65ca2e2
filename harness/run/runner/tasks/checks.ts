import { notProvableLines, type SuitePlan } from '../../plan/plan.ts';
import type { CheckResult, PlannedRun, Proof } from '../../report/model.ts';
import { isAdvice } from '../../report/status.ts';
import type { ClusterDescriptor, SubjectConfig, WorkerConfig } from '../../suite/worker-config.ts';
import { withDigests } from './images.ts';
import { removeServices } from '../remove-services.ts';
import { rerunCommand } from '../rerun-command.ts';
import type { Task } from '../task.ts';
import type { TestRun } from '../test-run.ts';
import { type CheckListener, failureOf } from '../result-reporter.ts';
import type { CheckProject } from '../vitest-runner.ts';
import { runChecks } from '../vitest-runner.ts';

/** Runs the checks and proofs of all suites in a worker and collects their results. */
export const checks: Task = {
  title: 'checks',
  async setup(run, { signal }) {
    run.report.plan = plannedRun(run);
    reportNotProvable(run);
    const summary = await runChecks({
      root: run.project.root,
      projects: projectsOf(run),
      signal,
      listener: listenerOf(run),
    });
    if (summary.interrupted) throw run.interruption();
    const failure = failureOf(summary);
    if (failure) throw failure;
  },
  teardown: (run) => removeServices(run),
};

/** What has to be reported: one result for each of these checks and faults. */
function plannedRun({ plan, selection }: TestRun): PlannedRun {
  if (!selection) throw new Error('the task "selection" has not run yet');
  const { chosen, shard } = selection;
  return {
    checks: chosen.map(({ id, suite, requirements }) => ({
      id,
      suite,
      requirements,
      ...(isAdvice(requirements, adviceOf(plan, suite)) && { level: 'advice' as const }),
    })),
    proofs: plan.suites.flatMap(({ definition, faults, notProvable }) =>
      [...faults, ...notProvable.map(({ fault }) => fault)].map((fault) => ({
        fault,
        suite: definition.name,
        requirements: requirementsOf(definition, fault),
      })),
    ),
    ...(shard && { shard }),
  };
}

function adviceOf({ suites }: TestRun['plan'], name: string): readonly string[] {
  return suites.find(({ definition }) => definition.name === name)?.advice ?? [];
}

function requirementsOf({ faults }: SuitePlan['definition'], fault: string): string[] {
  return [...(faults.find(({ name }) => name === fault)?.requirements ?? [])];
}

/** One for the checks of each suite, one after the other; then one for the faults of all suites, so that no suite waits for another. */
function projectsOf(run: TestRun): CheckProject[] {
  const { plan, project } = run;
  const proofs = new Map<string, WorkerConfig[]>();
  for (const suite of plan.suites.filter(({ faults }) => faults.length > 0)) {
    const file = suite.definition.code?.proofs ?? project.proofsFile;
    const config = { ...configOf(run, suite), mode: 'prove' as const, faults: suite.faults };
    proofs.set(file, [...(proofs.get(file) ?? []), config]);
  }
  return [
    ...plan.suites.flatMap((suite) => checksOf(run, suite)),
    ...[...proofs].flatMap(([file, [first, ...others]]) =>
      first ? [{ name: `${first.suite} faults`, file, config: { ...first, others } }] : [],
    ),
  ];
}

function checksOf(run: TestRun, suite: SuitePlan): CheckProject[] {
  const { definition, advice } = suite;
  const checks = (run.report.plan?.checks ?? [])
    .filter((check) => check.suite === definition.name)
    .map(({ id }) => id);
  if (checks.length === 0) return [];
  return [
    {
      name: definition.name,
      file: definition.code?.checks ?? run.project.checksFile,
      config: { ...configOf(run, suite), mode: 'check', checks, ...(advice && { advice }) },
    },
  ];
}

function configOf(run: TestRun, suite: SuitePlan): Omit<WorkerConfig, 'mode'> {
  const { plan, directory, secrets, tools } = run;
  const { definition, subject } = suite;
  const withImages = (one: SubjectConfig): SubjectConfig => ({
    ...one,
    images: withDigests(one.images, run.images),
  });
  return {
    runId: plan.runId,
    runDirectory: directory,
    suite: definition.name,
    subject: withImages(subject),
    references: Object.fromEntries(
      Object.entries(suite.references).map(([name, reference]) => [name, withImages(reference)]),
    ),
    cluster: clusterOf(run),
    helmPath: tools.helm,
    secrets: secrets.of(definition.name),
    redact: run.redactor.known,
  };
}

/** Faults that the plan leaves out are part of the report, and announced together: there may be many for one reason. */
function reportNotProvable(run: TestRun): void {
  const { plan, report } = run;
  const proofs = plan.suites.flatMap(({ definition, notProvable }) =>
    notProvable.map(({ fault, reason }): Proof => ({
      fault,
      suite: definition.name,
      requirements: requirementsOf(definition, fault),
      outcome: 'not-provable',
      reason,
      durationMs: 0,
      namespaces: [],
    })),
  );
  if (proofs.length > 0) (report.proofs ??= []).push(...proofs);
  for (const { definition, notProvable } of plan.suites) {
    for (const line of notProvableLines(notProvable)) {
      run.emit({ type: 'notice', level: 'info', text: `faults of ${definition.name} ${line}` });
    }
  }
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
    onSecrets: (found) => run.learn(found),
    onRunning: (names) => (run.runningChecks = names),
    onStart: ({ id, title }, suite) => run.emit({ type: 'check-started', suite, id, title }),
    onCapabilities(proven) {
      const known = report.cluster?.capabilities;
      known?.push(...proven.filter(({ name }) => !known.some((k) => k.name === name)));
    },
    onStalls: (stalls) => run.stalls.push(...stalls),
    onNotice: (text) => run.emit({ type: 'notice', level: 'info', text }),
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
