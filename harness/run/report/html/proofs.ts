/** Which faults the checks caught, and for which reason. */
import { seconds } from '../../../core/deadline.ts';
import type { Proof, Report } from '../model.ts';
import { isCaught, isProvable } from '../verdict.ts';
import { outcomeOf } from '../wording.ts';
import type { Markup } from './markup.ts';
import { markup } from './markup.ts';
import { timelineLinks } from './timeline.ts';

const order = { missed: 0, 'wrong-reason': 1, errored: 2, 'not-provable': 3, caught: 4 };

const chipOf = (proof: Proof): string =>
  isCaught(proof) ? 'passed' : isProvable(proof) ? 'failed' : 'skipped';

export function proofsSection(report: Report): Markup | undefined {
  const proofs = [...(report.proofs ?? [])].sort((a, b) => order[a.outcome] - order[b.outcome]);
  if (proofs.length === 0) return undefined;
  const timelinesOf = ({ namespaces }: Proof) => {
    const links = timelineLinks(report, namespaces);
    return links && markup`<span class="muted source">Pods over time: ${links}</span>`;
  };
  return markup`
<section id="proofs">
  <h2>Faults</h2>
  <p class="lead">Each of these defects was injected into the subject on purpose. It counts as caught when the checks fail for the stated reason. A defect that is not provable here was not injected and does not count.</p>
  <div class="scroll"><table>
    <thead><tr><th>Fault</th><th>Suite</th><th>Requirements</th><th>Outcome</th><th>What the check said</th><th class="number">Time</th></tr></thead>
    <tbody>${proofs.map(
      (proof) => markup`
      <tr><td class="id">${proof.fault}</td><td>${proof.suite}</td><td>${proof.requirements.map((id) => markup`<span class="line">${id}</span>`)}</td>
        <td><span class="${`chip ${chipOf(proof)}`}">${proof.outcome === 'wrong-reason' ? 'wrong reason' : outcomeOf(proof)}</span></td>
        <td class="multiline">${proof.reason}${timelinesOf(proof)}</td><td class="number">${seconds(proof.durationMs)}</td></tr>`,
    )}
    </tbody>
  </table></div>
</section>`;
}
