/** Measurements as text tables. Pure. */
import type { Report } from '../../harness/run/report/model.ts';
import type { Row } from './result.ts';

const COLUMNS = ['median', 'min', 'max'] as const;

/** Columns: name, median, min, max; durations in seconds. */
export function benchTable(rows: readonly Row[]): string {
  const cells = rows.map((row) => [row.name, ...COLUMNS.map((column) => value(row[column], row.unit))]);
  return aligned([['', ...COLUMNS], ...cells]);
}

/** The total and the phases of one run; marks concurrent phases. */
export function bareTable(report: Report): string {
  const rows = report.phases.map((phase, index) => {
    const before = report.phases.filter((_, i) => i < index);
    const parallel = before.find((other) => startOf(phase) < endOf(other) && startOf(other) < endOf(phase));
    return [phase.name, value(phase.durationMs, 'ms'), parallel ? `parallel to ${parallel.name}` : ''];
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

/** Aligns the first column left and all others right. */
function aligned(rows: readonly (readonly string[])[]): string {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((r) => (r[column] ?? '').length)));
  return rows
    .map((cells) =>
      cells
        .map((cell, i) => (i > 0 ? cell.padStart(widths[i] ?? 0) : cell.padEnd(widths[i] ?? 0)))
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}
