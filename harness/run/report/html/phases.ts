/** A Gantt chart of the run's phases. */
import { seconds } from '../../../core/deadline.ts';
import type { Report } from '../model.ts';
import { truncateMiddle } from '../text.ts';
import type { Markup } from './markup.ts';
import { markup } from './markup.ts';
import { axisLines, round, timeAxis } from './time-axis.ts';

const width = 1040;
const labels = 160;
const rowHeight = 24;
const top = 26;
/** Room for the duration behind the last bar. */
const right = 90;

export function phasesSection(report: Report): Markup | undefined {
  if (report.phases.length === 0) return undefined;
  const runStart = Date.parse(report.run.startedAt);
  const rows = report.phases.map((phase) => ({ ...phase, from: Date.parse(phase.startedAt) - runStart }));
  const end = Math.max(...rows.map((row) => row.from + row.durationMs), report.run.durationMs);
  const axis = timeAxis(end, labels, width - right);
  const height = top + rows.length * rowHeight + 6;
  return markup`
<section id="phases">
  <h2>Phases</h2>
  <div class="scroll"><svg class="gantt" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" role="img" aria-label="Phases of the run">
    ${axisLines(axis, top - 4, height - 4)}
    ${rows.map((row, index) => {
      const y = top + index * rowHeight;
      const x = axis.x(row.from);
      const wide = round(Math.max(axis.x(row.from + row.durationMs) - x, 2));
      return markup`<g><title>${`${row.name}: +${seconds(row.from)} for ${seconds(row.durationMs)}, ${row.status}`}</title>
      <text x="0" y="${y + 16}">${truncateMiddle(row.name, 22)}</text>
      <rect class="${`phase ${row.status}`}" x="${x}" y="${y + 4}" width="${wide}" height="${rowHeight - 8}" rx="3"/>
      <text class="time" x="${round(x + wide + 7)}" y="${y + 16}">${seconds(row.durationMs)}${row.status === 'failed' ? ' failed' : ''}</text></g>`;
    })}
  </svg></div>
</section>`;
}
