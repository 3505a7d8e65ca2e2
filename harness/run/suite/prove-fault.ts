/** Injects one fault, runs the checks of its requirements, and decides whether it was caught for the stated reason. */
import { InterruptedError, messageOf } from '../../core/errors.ts';
import { firstLine } from '../../core/wording.ts';
import type { CheckResult, Proof } from '../report/model.ts';
import { isNotApplicable } from '../report/status.ts';
import type { Check } from './check.ts';
import type { Fault } from './definition.ts';
import { executeCheck } from './execute-check.ts';
import { areValuesIgnored, isMisfitOfDisturbance, isReferenceSubject, misfitOf } from './fault-fit.ts';
import type { SharedLab } from './shared-lab.ts';
import type { ProofOutcome } from './test-record.ts';

/** Injects the fault into releases of its own, runs the checks of its requirements until each has caught it, and takes all down. */
export async function proveFault(
  fault: Fault,
  checks: readonly Check[],
  openLab: () => SharedLab,
): Promise<ProofOutcome> {
  const start = Date.now();
  const lab = openLab();
  const results: CheckResult[] = [];
  const capabilities: ProofOutcome['capabilities'] = [];
  const stalls: NonNullable<ProofOutcome['stalls']> = [];
  const ended = (outcome: Proof['outcome'], reason: string, checks?: string[]): ProofOutcome => ({
    proof: {
      fault: fault.name,
      suite: lab.deps.definition.name,
      requirements: [...fault.requirements],
      outcome,
      ...(checks && { caughtBy: checks }),
      reason,
      durationMs: Date.now() - start,
      namespaces: [...new Set(results.flatMap(({ namespaces }) => namespaces))],
    },
    capabilities,
    stalls,
  });
  /** On the reference subject a misfit is a defect of the fault, and must not be overlooked. */
  const misfit = (reason: string): ProofOutcome =>
    ended(isReferenceSubject(lab) ? 'errored' : 'not-provable', reason);
  try {
    for (const need of fault.needs ?? []) {
      const capability = await lab.deps.cluster.capability(need);
      capabilities.push(capability);
      if (!capability.present)
        return ended('not-provable', `the cluster lacks ${need}: ${capability.evidence}`);
    }
    const reason = await misfitOf(fault, lab);
    if (reason !== undefined) return misfit(`it does not fit: ${reason}`);
    const wanted = new Set(fault.requirements);
    for (const check of inOrder(
      checks.filter((c) => isTried(c, fault)),
      lab,
    )) {
      // Once every requirement failed for the stated reason, further checks only cost time.
      if ([...wanted].every((id) => caughtBy(results, id, fault.reason))) break;
      const outcome = await executeCheck(check, lab);
      capabilities.push(...outcome.capabilities);
      stalls.push(...(outcome.stalls ?? []));
      if (outcome.infrastructure)
        return {
          ...ended('errored', outcome.infrastructure.message),
          infrastructure: outcome.infrastructure,
        };
      results.push(outcome.result);
      if (lab.failedDisturbance) break;
    }
    if (lab.failedDisturbance) {
      const { message, cause } = lab.failedDisturbance;
      return isMisfitOfDisturbance(cause) ? misfit(message) : ended('errored', message);
    }
    const said: string[] = [];
    const red = new Set<string>();
    for (const id of wanted) {
      const caught = caughtBy(results, id, fault.reason);
      if (caught === undefined) return ended(...(await uncaught(fault, results, id, lab)));
      said.push(`${id}: ${caught.says}`);
      red.add(caught.check);
    }
    return ended('caught', said.join('; '), [...red]);
  } catch (error) {
    // Interruptions end the run; anything else says nothing about the fault.
    if (error instanceof InterruptedError || lab.deps.signal.aborted) throw error;
    return ended('errored', firstLine(messageOf(error)));
  } finally {
    await lab.lifecycle.close();
  }
}

async function uncaught(
  fault: Fault,
  results: readonly CheckResult[],
  id: string,
  lab: SharedLab,
): Promise<[Proof['outcome'], string]> {
  const isReference = isReferenceSubject(lab);
  const [outcome, reason] = missed(results, id, { reason: fault.reason, isReference });
  const mayNotFit = outcome === 'missed' && !isReference;
  if (!mayNotFit || !(await areValuesIgnored(fault, lab))) return [outcome, reason];
  return [
    'not-provable',
    `${reason}, and ${fault.set?.join(', ') ?? ''} changes nothing in what the chart renders`,
  ];
}

/** A subject that can exist only once makes room for the releases of checks: those that use the shared one come before. */
function inOrder(checks: readonly Check[], { deps }: SharedLab): readonly Check[] {
  if (deps.subject.once !== true) return checks;
  const isOwn = ({ options }: Check): number => (options.release === 'none' ? 1 : 0);
  return checks.toSorted((a, b) => isOwn(a) - isOwn(b));
}

/** Whether the check has to be red when the fault is injected, or may be. */
export function isTried({ requirements, options }: Check, fault: Fault): boolean {
  return (
    requirements.some((id) => fault.requirements.includes(id)) &&
    (fault.checks === undefined || (fault.checks === 'static') === (options.static ?? false))
  );
}

/** Why a requirement did not catch its fault. A check that errored, or does not fit the subject, might have caught it. */
function missed(
  results: readonly CheckResult[],
  id: string,
  { reason, isReference }: { reason: RegExp; isReference: boolean },
): [Proof['outcome'], string] {
  const own = results.filter((r) => r.requirements.includes(id));
  if (own.length === 0) return ['missed', `${id} has no check`];
  const errored = own.find((r) => r.status === 'errored');
  if (errored) return ['errored', `${id} errored: ${errored.reason ?? ''}`];
  const unfit = own.find(isNotApplicable);
  // Every check has to fit the reference subject: there, a misfit must not be overlooked.
  if (unfit)
    return [isReference ? 'errored' : 'not-provable', `${id} is not applicable: ${unfit.reason ?? ''}`];
  const failed = own.find((r) => r.status === 'failed');
  if (failed)
    return ['wrong-reason', `${id} failed with "${failed.reason ?? ''}", not with ${String(reason)}`];
  const other = own.find((r) => r.status !== 'passed');
  return ['missed', `${id} ${other ? `was ${other.status}: ${other.reason ?? ''}` : 'passed'}`];
}

/** The first failed check that says the stated reason, and its sentence, or that of its diagnosis, which matches. */
function caughtBy(
  results: readonly CheckResult[],
  id: string,
  reason: RegExp,
): { check: string; says: string } | undefined {
  for (const result of results) {
    if (result.status !== 'failed' || !result.requirements.includes(id)) continue;
    const { diagnosis } = result;
    const said = [
      result.reason ?? '',
      ...(diagnosis ? [diagnosis.summary, diagnosis.expected ?? '', diagnosis.actual ?? ''] : []),
      ...(diagnosis?.causes.map((c) => `${c.object} ${c.says}`) ?? []),
    ];
    const match = said.find((sentence) => sentence.search(reason) >= 0);
    if (match !== undefined) return { check: result.id, says: match };
  }
  return undefined;
}
