/** Which pods get traffic through a Service, by its EndpointSlices: their controller follows the readiness of pods with a delay. */
import { waitFor } from '../../core/deadline.ts';
import type { KubeClient, ObjectRef } from '../../kube/api/client.ts';
import type { Pod } from '../../kube/api/types.ts';
import type { WaitLimits } from './limits.ts';

/**
 * Waits until a pod is a ready endpoint of a Service. Default limit 60 000 ms.
 *
 * @throws WaitTimeout with the ready endpoints
 */
export function endpointReady(
  kube: KubeClient,
  service: ObjectRef,
  { metadata: { name } }: Pod,
  wait: WaitLimits = {},
): Promise<void> {
  const what = `pod ${name} to join the endpoints of Service ${service.name}`;
  return untilEndpoints(kube, service, { what, ...wait }, (ready) => ready.has(name));
}

/**
 * Waits until a pod is no ready endpoint of a Service any more. Default limit 60 000 ms.
 *
 * @param wait.unless read before the endpoints: why the pod will not leave, or `undefined` while it may
 * @throws WaitTimeout with the ready endpoints, early when `unless` gives a reason
 */
export function endpointGone(
  kube: KubeClient,
  service: ObjectRef,
  { metadata: { name } }: Pod,
  wait: EndpointWait = {},
): Promise<void> {
  const what = `pod ${name} to leave the endpoints of Service ${service.name}`;
  return untilEndpoints(kube, service, { what, ...wait }, (ready) => !ready.has(name));
}

/**
 * Waits until the ready endpoints of a Service are exactly these pods. Default limit 60 000 ms.
 *
 * @throws WaitTimeout with the ready endpoints
 */
export function endpointsAre(
  kube: KubeClient,
  service: ObjectRef,
  pods: readonly Pod[],
  wait: WaitLimits = {},
): Promise<void> {
  const wanted = pods.map(({ metadata }) => metadata.name);
  const what = `the ready endpoints of Service ${service.name} to be ${wanted.join(', ') || 'none'}`;
  return untilEndpoints(
    kube,
    service,
    { what, ...wait },
    (ready) => ready.size === wanted.length && wanted.every((name) => ready.has(name)),
  );
}

interface EndpointWait extends WaitLimits {
  unless?: () => Promise<string | undefined>;
}

function untilEndpoints(
  kube: KubeClient,
  { name, namespace }: ObjectRef,
  { unless, ...wait }: EndpointWait & { what: string },
  holds: (ready: ReadonlySet<string>) => boolean,
): Promise<void> {
  const labelSelector = `kubernetes.io/service-name=${name}`;
  return waitFor<undefined>({
    timeoutMs: 60_000,
    ...wait,
    look: async () => {
      const obstacle = await unless?.();
      const slices = await kube.list('EndpointSlice', { namespace, labelSelector, signal: wait.signal });
      const ready = new Set(
        slices
          .flatMap(({ endpoints }) => endpoints ?? [])
          // Unset means ready (EndpointConditions, discovery.k8s.io/v1).
          .filter(({ conditions }) => conditions?.ready !== false)
          .map(({ targetRef }) => targetRef?.name ?? 'no pod'),
      );
      if (holds(ready)) return { done: true, value: undefined };
      const seen = `ready endpoints: ${[...ready].join(', ') || 'none'}`;
      return obstacle === undefined ? { done: false, seen } : { done: false, seen, hopeless: obstacle };
    },
  });
}
