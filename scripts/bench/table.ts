/** The result of a measurement as lines for a person. Pure. */
import type { Report } from '../../harness/run/report/model.ts';
import type { Row } from './result.ts';

const COLUMNS = ['median', 'min', 'max'] as const;

/** Columns name, median, min, max; durations in seconds. */
export function benchTable(rows: readonly Row[]): string {
  const cells = rows.map((row) => [row.name, ...COLUMNS.map((column) => value(row[column], row.unit))]);
  return aligned([['', ...COLUMNS], ...cells]);
}

/** The phases of one run, what went on at the same time said so, and the whole. */
export function bareTable(report: Report): string {
  const rows = report.phases.map((phase, index) => {
    const before = report.phases.filter((_, i) => i < index);
    const beside = before.find((other) => startOf(phase) < endOf(other) && startOf(other) < endOf(phase));
    return [phase.name, value(phase.durationMs, 'ms'), beside ? `beside ${beside.name}` : ''];
  });
  return aligned([
    ['bare machine to verdict', value(report.run.durationMs, 'ms'), report.run.verdict],
    ...rows.map(([name = '', ...rest]) => [`  ${name}`, ...rest]),
  ]);
}

function startOf(phase: Report['phases'][number]): number {
  return Date.parse(phase.startedAt);
}

function endOf(phase: Report['phases'][number]): number {
  return startOf(phase) + phase.durationMs;
}

function value(number: number, unit: Row['unit']): string {
  return unit === 'ms' ? `${(number / 1000).toFixed(1)} s` : `${number.toFixed(2)} ×`;
}

/** First column to the left, numbers to the right, words at the end as they are. */
function aligned(rows: readonly (readonly string[])[]): string {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((r) => (r[column] ?? '').length)));
  return rows
    .map((cells) =>
      cells
        .map((cell, i) =>
          /^\d/.test(cell) || i > 0 ? cell.padStart(widths[i] ?? 0) : cell.padEnd(widths[i] ?? 0),
        )
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}
