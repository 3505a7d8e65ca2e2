/** Puts one fault in, runs the checks of its requirements, and says whether it was caught for the stated reason. */
import type { CheckResult, Proof } from '../report/model.ts';
import type { Check } from './check.ts';
import type { Fault } from './definition.ts';
import { executeCheck, type CheckOutcome } from './execute-check.ts';
import type { SharedLab } from './lab.ts';

export async function proveFault(
  fault: Fault,
  checks: readonly Check[],
  openLab: () => SharedLab,
): Promise<{ proof: Proof; infrastructure?: CheckOutcome }> {
  const start = Date.now();
  const lab = openLab();
  const proof = (outcome: Proof['outcome'], reason: string): Proof => ({
    fault: fault.name,
    suite: lab.deps.definition.name,
    requirements: [...fault.requirements],
    outcome,
    reason,
    durationMs: Date.now() - start,
  });
  try {
    for (const need of fault.needs ?? []) {
      const capability = await lab.deps.cluster.capability(need);
      if (!capability.present)
        return { proof: proof('missed', `not put in: the cluster lacks ${need}: ${capability.evidence}`) };
    }
    const told: string[] = [];
    const wanted = new Set(fault.requirements);
    const results: CheckResult[] = [];
    const tried = checks.filter(
      (c) =>
        c.requirements.some((id) => wanted.has(id)) &&
        (fault.checks === undefined || (fault.checks === 'static') === (c.options.static ?? false)),
    );
    for (const check of tried) {
      // Once every requirement is red for the stated reason, more checks would only cost time.
      if ([...wanted].every((id) => caughtBy(results, id, fault.reason))) break;
      const outcome = await executeCheck(check, lab);
      if (outcome.infrastructure)
        return { proof: proof('missed', outcome.infrastructure.message), infrastructure: outcome };
      results.push(outcome.result);
    }
    for (const id of wanted) {
      const caught = caughtBy(results, id, fault.reason);
      if (caught) {
        told.push(`${id}: ${caught}`);
        continue;
      }
      const own = results.filter((r) => r.requirements.includes(id));
      if (own.length === 0) return { proof: proof('missed', `${id} has no check`) };
      const red = own.find((r) => r.status === 'failed');
      if (red) {
        return {
          proof: proof(
            'wrong-reason',
            `${id} failed with "${red.reason ?? ''}", not with ${String(fault.reason)}`,
          ),
        };
      }
      const skipped = own.find((r) => r.status === 'skipped');
      return {
        proof: proof('missed', `${id} ${skipped ? `was skipped: ${skipped.reason ?? ''}` : 'stayed green'}`),
      };
    }
    return { proof: proof('caught', told.join('; ')) };
  } finally {
    await lab.lifecycle.close();
  }
}

/** What the failing check said that matches, or `undefined`. */
function caughtBy(results: readonly CheckResult[], id: string, reason: RegExp): string | undefined {
  for (const result of results) {
    if (result.status !== 'failed' || !result.requirements.includes(id)) continue;
    const { diagnosis } = result;
    const said = [
      result.reason ?? '',
      ...(diagnosis ? [diagnosis.summary, diagnosis.expected ?? '', diagnosis.actual ?? ''] : []),
      ...(diagnosis?.causes.map((c) => `${c.object} ${c.says}`) ?? []),
    ];
    const match = said.find((sentence) => sentence.search(reason) >= 0);
    if (match !== undefined) return match;
  }
  return undefined;
}
