/** Which faults turned the checks red, and for which reason. */
import { seconds } from '../../../core/deadline.ts';
import type { Report } from '../model.ts';
import type { Markup } from './markup.ts';
import { markup } from './markup.ts';

const order = { missed: 0, 'wrong-reason': 1, caught: 2 };

export function proofsSection(report: Report): Markup | undefined {
  const proofs = [...(report.proofs ?? [])].sort((a, b) => order[a.outcome] - order[b.outcome]);
  if (proofs.length === 0) return undefined;
  return markup`
<section id="proofs">
  <h2>Faults</h2>
  <p class="lead">Each of these defects was put into the subject on purpose; a check that means something has to turn red, for the stated reason.</p>
  <div class="scroll"><table>
    <thead><tr><th>Fault</th><th>Suite</th><th>Requirements</th><th>Outcome</th><th>What the check said</th><th class="number">Time</th></tr></thead>
    <tbody>${proofs.map(
      (proof) => markup`
      <tr><td class="id">${proof.fault}</td><td>${proof.suite}</td><td>${proof.requirements.map((id) => markup`<span class="line">${id}</span>`)}</td>
        <td><span class="${`chip ${proof.outcome === 'caught' ? 'passed' : 'failed'}`}">${proof.outcome === 'wrong-reason' ? 'wrong reason' : proof.outcome}</span></td>
        <td class="multiline">${proof.reason}</td><td class="number">${seconds(proof.durationMs)}</td></tr>`,
    )}
    </tbody>
  </table></div>
</section>`;
}
