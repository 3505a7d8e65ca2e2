/** The endpoints of a Service. */
import { matchesLabels } from '../../../kube/api/selectors.ts';
import { hasCondition } from '../../../kube/api/objects.ts';
import type { EndpointSlice, Pod, Service } from '../../../kube/api/types.ts';
import type { PredicateResult } from '../result.ts';

/**
 * The Service leads to exactly the ready ones of these pods: none is missing, and no other pod gets its traffic.
 *
 * @param slices EndpointSlices; those that are labelled for another Service are ignored
 * @param pods the workload's own pods
 */
export function endpointsMatch(
  service: Service,
  slices: readonly EndpointSlice[],
  pods: readonly Pod[],
): PredicateResult {
  const name = service.metadata.name;
  const own = slices.filter((s) => (s.metadata.labels?.['kubernetes.io/service-name'] ?? name) === name);
  const endpoints = own.flatMap((slice) =>
    (slice.endpoints ?? [])
      .filter((e) => e.conditions?.ready !== false)
      .flatMap((e) =>
        e.addresses.map((ip) => ({
          ip,
          target: e.targetRef?.name,
          hasPort: (slice.ports ?? []).length > 0,
        })),
      ),
  );
  const ready = pods.filter((p) => hasCondition(p, 'Ready'));
  const wanted = new Map(ready.map((p) => [p.status?.podIP ?? '', p.metadata.name]));
  const found = new Set(endpoints.map((e) => e.ip));
  const missing = [...wanted].filter(([ip]) => !found.has(ip));
  // A selected pod without the port is in a slice without ports: nothing leads to it.
  const foreign = endpoints.filter((e) => e.hasPort && !wanted.has(e.ip));
  const details = [
    ...missing.map(
      ([ip, pod]) => `ready pod ${pod} (${ip}) gets no traffic${whyMissing(service, pods, pod)}`,
    ),
    ...foreign.map((e) => {
      const unready = pods.some((p) => p.metadata.name === e.target);
      const who = e.target === undefined ? e.ip : `pod ${e.target} (${e.ip})`;
      return `${who} gets traffic ${unready ? 'although it is not ready' : 'and is not one of the pods of the workload'}`;
    }),
    ...lostPorts(service, own),
  ];
  const listed = (ips: Iterable<string>): string => [...ips].toSorted().join(', ') || 'none';
  return {
    ok: wanted.size > 0 && details.length === 0,
    expected: `Service ${name} leads to the ready pods ${listed(wanted.keys())}`,
    actual: listed(found),
    observed: endpoints.map((e) => `${e.ip} = ${e.target ?? 'no pod'}`),
    details,
  };
}

function whyMissing(service: Service, pods: readonly Pod[], name: string): string {
  const pod = pods.find((p) => p.metadata.name === name);
  const selector = service.spec.selector ?? {};
  if (!pod || matchesLabels(selector, pod.metadata.labels)) return '';
  const off = Object.entries(selector).filter(([key, value]) => pod.metadata.labels?.[key] !== value);
  const text = off.map(
    ([key, value]) => `${key}=${value}, the pod has ${pod.metadata.labels?.[key] ?? 'no such label'}`,
  );
  return `: the Service selects ${text.join('; ')}`;
}

/** Ports of the Service that no slice has, because no pod has a port with the name of the target port. */
function lostPorts(service: Service, slices: readonly EndpointSlice[]): string[] {
  if (slices.length === 0) return [];
  const carried = new Set(slices.flatMap((s) => (s.ports ?? []).map((p) => p.name ?? '')));
  return (service.spec.ports ?? [])
    .filter((p) => !carried.has(p.name ?? ''))
    .map(
      (p) => `port ${p.name ?? p.port} leads nowhere: no pod has a port ${String(p.targetPort ?? p.port)}`,
    );
}
