/** Who was behind a Service at every moment, from its EndpointSlices. */
import type { EndpointSlice } from '../../kube/api/types.ts';
import { uidOf } from './container-steps.ts';
import type { RecordedChange } from './change.ts';

export interface EndpointsMoment {
  seq: number;
  at: number;
  /** Names of the pods that get traffic from here on; addresses of endpoints that are no pods. */
  ready: ReadonlySet<string>;
}

/** One entry for each change of the set, over all slices of the Service; before the first one nobody was there. */
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

/** When a pod first got traffic, and from which Service. */
export function findFirstReady(
  changes: readonly RecordedChange[],
  pod: string,
): { seq: number; at: number; service: string } | undefined {
  for (const { object, type, seq, at } of changes) {
    if (object.kind !== 'EndpointSlice' || type === 'DELETED') continue;
    const slice = object as EndpointSlice;
    const isThere = (slice.endpoints ?? []).some(
      (e) => e.conditions?.ready !== false && (e.targetRef?.name === pod || e.targetRef?.uid === pod),
    );
    if (isThere) return { seq, at, service: serviceOf(slice) ?? '' };
  }
  return undefined;
}

function serviceOf(slice: EndpointSlice): string | undefined {
  return slice.metadata.labels?.['kubernetes.io/service-name'];
}

/** `ready` that is not set means ready (EndpointConditions, discovery.k8s.io/v1). */
function readyNames(slice: EndpointSlice): string[] {
  return (slice.endpoints ?? [])
    .filter((endpoint) => endpoint.conditions?.ready !== false)
    .flatMap(({ targetRef, addresses }) => (targetRef?.kind === 'Pod' ? [targetRef.name] : addresses));
}
