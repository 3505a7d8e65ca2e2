/** Whether the results of a run amount to a verdict. The one place that compares what was planned with what was reported. */
import { count } from '../../core/wording.ts';
import type { CheckResult, PlannedRun, Report } from './model.ts';
import { isDecided, isNotApplicable, isWarning } from './status.ts';

type Results = Pick<Report, 'plan' | 'checks' | 'proofs'>;
type RunError = NonNullable<Report['run']['error']>;

/**
 * Why a run that ended without an error of its own has no verdict; `undefined` when it has one.
 *
 * - `E_INCOMPLETE`: planned and reported differ. It outweighs a failed check, because the other results cannot be relied on either.
 * - `E_CHECKS_NOT_MADE`: a check or proof errored, and none failed. A failure is a fact, whatever else errored.
 * - `E_NOTHING_CHECKED`: all checks of a suite were skipped, blocked or not applicable, or no fault was provable.
 */
export function noVerdict(results: Results): RunError | undefined {
  const { checks, proofs = [] } = results;
  const gaps = gapsOf(results);
  if (gaps.length > 0) {
    return {
      code: 'E_INCOMPLETE',
      message: `what was planned and what was reported differ: ${gaps.join('; ')}`,
      hint: 'The chart is not the cause. This is a defect of kindproof: see run.jsonl in the run directory.',
    };
  }
  if (checks.some(({ status }) => status === 'failed')) return undefined;
  if (proofs.some(({ outcome }) => outcome === 'missed' || outcome === 'wrong-reason')) return undefined;
  return notMade(results) ?? nothingChecked(results);
}

/**
 * Every difference between what was planned and what was reported, one sentence each. Empty when every planned check and fault has
 * exactly one result, for its requirements, and nothing else was reported.
 */
function gapsOf({ plan, checks, proofs = [] }: Results): string[] {
  if (!plan) return ['the run planned nothing'];
  return [
    ...differences(
      plan.checks.map((check) => ({ name: nameOfCheck(check), requirements: check.requirements })),
      checks.map((check) => ({ ...check, name: nameOfCheck(check), said: check.status })),
    ),
    ...differences(
      plan.proofs.map((proof) => ({ name: nameOfProof(proof), requirements: proof.requirements })),
      proofs.map((proof) => ({ ...proof, name: nameOfProof(proof), said: proof.outcome })),
    ),
    ...checks.filter(isWarning).flatMap((check) => unexpectedWarning(check, plan.checks)),
    ...checks
      .filter((check) => check.status === 'blocked')
      .flatMap((check) => blockedByNothing(check, checks)),
  ];
}

interface Planned {
  name: string;
  requirements: readonly string[];
}

function differences(
  planned: readonly Planned[],
  reported: readonly (Planned & { said: string })[],
): string[] {
  const results = groupByName(reported);
  const missing = planned.filter(({ name }) => !results.has(name)).map(({ name }) => `${name} has no result`);
  const wrong = [...results].flatMap(([name, own]) => {
    const [plan, twice] = planned.filter((one) => one.name === name);
    if (!plan) return [`${name} was reported without being planned`];
    if (twice) return [`${name} was planned twice`];
    if (own.length > 1)
      return [`${name} was reported ${own.length} times: ${own.map((r) => r.said).join(', ')}`];
    const wanted = plan.requirements.join(', ');
    const about = own.flatMap(({ requirements }) => requirements).join(', ');
    return about === wanted ? [] : [`${name} was planned for ${wanted} and reported for ${about}`];
  });
  return [...missing, ...wrong];
}

function groupByName<T extends { name: string }>(items: readonly T[]): Map<string, T[]> {
  const groups = new Map<string, T[]>();
  for (const item of items) groups.set(item.name, [...(groups.get(item.name) ?? []), item]);
  return groups;
}

function nameOfCheck({ id, suite }: { id: string; suite: string }): string {
  return id.startsWith(`${suite}/`) ? id : `${id} of ${suite}`;
}

function nameOfProof({ fault, suite }: { fault: string; suite: string }): string {
  return `fault ${fault} of ${suite}`;
}

/** A broken promise must not be reported as a warning, unless the check says why it is only advice for this subject. */
function unexpectedWarning(check: CheckResult, planned: PlannedRun['checks']): string[] {
  const name = nameOfCheck(check);
  const isAdvice = planned.some((one) => nameOfCheck(one) === name && one.level === 'advice');
  return isAdvice || check.adviceBecause !== undefined
    ? []
    : [`${name} was reported as a warning and planned as a promise`];
}

/** A blocked check counts as skipped only because another check reports the failure. */
function blockedByNothing({ id, blockedBy }: CheckResult, checks: readonly CheckResult[]): string[] {
  const by = checks.find((check) => check.id === blockedBy);
  if (by?.status === 'failed' || by?.status === 'errored') return [];
  return [`${id} is blocked by ${blockedBy ?? 'an unnamed check'}, which reports no failure`];
}

function notMade({ checks, proofs = [] }: Results): RunError | undefined {
  const errored = [
    ...checks
      .filter(({ status }) => status === 'errored')
      .map(({ id, reason }) => ({ kind: 'check', id, reason })),
    ...proofs
      .filter(({ outcome }) => outcome === 'errored')
      .map(({ fault, reason }) => ({ kind: 'fault', id: fault, reason })),
  ];
  const [first] = errored;
  if (!first) return undefined;
  const counts = ['check', 'fault'].flatMap((kind) => {
    const size = errored.filter((one) => one.kind === kind).length;
    return size === 0 ? [] : [`${count(size, kind)} could not ${kind === 'check' ? 'run' : 'be proven'}`];
  });
  return {
    code: 'E_CHECKS_NOT_MADE',
    message: `${counts.join(', ')}, first ${first.id}: ${first.reason ?? ''}`,
    hint: 'The chart is not the cause: run again, and see run.jsonl if it fails again.',
  };
}

function whyNot(checks: readonly CheckResult[]): string {
  const were = checks.length === 1 ? 'it was' : `all ${checks.length} were`;
  if (!checks.some(isNotApplicable)) return `${were} skipped`;
  return `${were} ${checks.every(isNotApplicable) ? 'not applicable to this subject' : 'skipped or not applicable'}`;
}

function nothingChecked({ plan, checks, proofs = [] }: Results): RunError | undefined {
  const suites = new Set(plan?.checks.map(({ suite }) => suite));
  for (const suite of suites) {
    const own = checks.filter((check) => check.suite === suite);
    if (own.some(isDecided)) continue;
    return {
      code: 'E_NOTHING_CHECKED',
      message: `no check of suite ${suite} ran: ${whyNot(own)}`,
      hint: own.some(isNotApplicable)
        ? 'The report says for each what the subject lacks. Use the suite that the subject was written for.'
        : 'The report has the reason of each. Use a cluster that has what they need.',
    };
  }
  // Passed checks do not make up for faults that were asked for: of those, nothing is known.
  if (proofs.length > 0 ? proofs.some(({ outcome }) => outcome === 'caught') : suites.size > 0) {
    return undefined;
  }
  return {
    code: 'E_NOTHING_CHECKED',
    message: proofs.length > 0 ? 'no fault was proven: none is provable here' : 'no check ran',
    hint: 'See --requirement and --fault; `npm run -s e2e -- --list` lists what exists.',
  };
}
