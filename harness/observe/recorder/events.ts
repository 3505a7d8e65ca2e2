/** Events in a recording. */
import type { KubeEvent } from '../../kube/api/types.ts';
import type { RecordedChange } from './change.ts';

export interface WarningEvent {
  reason: string;
  message: string;
  /** Kind and name of the object that the event is about. */
  kind: string;
  name: string;
  count: number;
  /** Arrival of its first and of its last update. */
  at: number;
  lastAt: number;
  seq: number;
}

/**
 * Warning events, each once with its last count.
 *
 * @param filter.about name of the object that the event is about
 */
export function findWarningEvents(
  changes: readonly RecordedChange[],
  filter: { reason?: string | undefined; about?: string | undefined } = {},
): WarningEvent[] {
  const found = new Map<string, WarningEvent>();
  for (const { object, type, at, seq } of changes) {
    if (object.kind !== 'Event' || type === 'DELETED') continue;
    const event = object as KubeEvent;
    if (event.type !== 'Warning') continue;
    if (filter.reason !== undefined && event.reason !== filter.reason) continue;
    if (filter.about !== undefined && event.involvedObject.name !== filter.about) continue;
    const key = event.metadata.uid ?? event.metadata.name;
    const earlier = found.get(key);
    found.set(key, {
      reason: event.reason ?? '',
      message: event.message ?? '',
      kind: event.involvedObject.kind,
      name: event.involvedObject.name,
      count: eventCount(event),
      at: earlier?.at ?? at,
      lastAt: at,
      seq: earlier?.seq ?? seq,
    });
  }
  return [...found.values()];
}

/** How often an event happened: from the series of events.k8s.io, or the older field. */
export function eventCount(event: KubeEvent): number {
  return event.series?.count ?? event.count ?? 1;
}
