/** Events as a readable table: sorted by time, one line each. */
import type { KubeEvent } from '../../kube/api/types.ts';
import { eventCount } from '../recorder/events.ts';
import { eventTime } from './world.ts';

/** Columns: time, type, count, reason, object, message. */
export function eventTable(events: readonly KubeEvent[]): string {
  const rows = [...events]
    .sort((a, b) => eventTime(a) - eventTime(b))
    .map((e) => [
      eventTime(e) === 0 ? '-' : new Date(eventTime(e)).toISOString().replace(/\.\d+Z$/, 'Z'),
      e.type ?? '-',
      `×${eventCount(e)}`,
      e.reason ?? '-',
      `${e.involvedObject.kind}/${e.involvedObject.name}`,
      (e.message ?? '').replace(/\s+/g, ' ').trim(),
    ]);
  if (rows.length === 0) return 'no events\n';
  const widths = [0, 1, 2, 3, 4].map((i) => Math.max(...rows.map((row) => (row[i] ?? '').length)));
  return (
    rows
      .map((row) =>
        row
          .map((cell, i) => cell.padEnd(widths[i] ?? 0))
          .join('  ')
          .trimEnd(),
      )
      .join('\n') + '\n'
  );
}
