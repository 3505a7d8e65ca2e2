/** The ready endpoints of a Service over time, from its EndpointSlices. */
import type { EndpointSlice } from '../../kube/api/types.ts';
import { uidOf } from '../../kube/api/objects.ts';
import type { RecordedChange } from './change.ts';

export interface EndpointsMoment {
  seq: number;
  at: number;
  /** Names of the pods that receive traffic from here on; addresses of endpoints that are not pods. */
  ready: ReadonlySet<string>;
}

/** One entry for each change of the set, over all slices of the Service; before the first entry the set is empty. */
export function traceEndpoints(changes: readonly RecordedChange[], service: string): EndpointsMoment[] {
  const slices = new Map<string, EndpointSlice>();
  const trace: EndpointsMoment[] = [];
  for (const { object, type, seq, at } of changes) {
    if (object.kind !== 'EndpointSlice' || serviceOf(object as EndpointSlice) !== service) continue;
    if (type === 'DELETED') slices.delete(uidOf(object));
    else slices.set(uidOf(object), object as EndpointSlice);
    const ready = new Set([...slices.values()].flatMap(readyNames));
    const before = trace.at(-1)?.ready ?? new Set();
    const same = before.size === ready.size && [...ready].every((name) => before.has(name));
    if (!same) trace.push({ seq, at, ready });
  }
  return trace;
}

function serviceOf(slice: EndpointSlice): string | undefined {
  return slice.metadata.labels?.['kubernetes.io/service-name'];
}

/** An unset `ready` means ready (EndpointConditions, discovery.k8s.io/v1). */
function readyNames(slice: EndpointSlice): string[] {
  return (slice.endpoints ?? [])
    .filter((endpoint) => endpoint.conditions?.ready !== false)
    .flatMap(({ targetRef, addresses }) => (targetRef?.kind === 'Pod' ? [targetRef.name] : addresses));
}
