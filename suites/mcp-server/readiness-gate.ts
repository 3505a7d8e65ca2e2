/**
 * Pods that are ready only when a check says so: a readiness gate is added to the template of the workload, and the check sets its
 * condition. That works with any image and any probe, and no time decides.
 */
import { waitFor } from '../../harness/core/deadline.ts';
import { DoesNotFit, messageOf } from '../../harness/core/errors.ts';
import type { KubeClient } from '../../harness/kube/api/client.ts';
import { hasCondition } from '../../harness/kube/api/objects.ts';
import { field } from '../../harness/kube/manifests/objects.ts';
import type { Pod, PodSpec } from '../../harness/kube/api/types.ts';
import type { WorkloadHandle } from '../../harness/observe/matchers/workload-handle.ts';

const GATE = 'kindproof.dev/admitted';
/** A server that was rolled out before starts again. */
const START_MS = 180_000;
const CONDITION_MS = 30_000;

/** From now on, new pods of the workload are not ready before `admit`. This replaces its pods, as far as its strategy allows. */
export async function holdBackNewPods(kube: KubeClient, handle: WorkloadHandle): Promise<void> {
  const { kind, name, namespace } = handle;
  const { spec } = await handle.read();
  const readinessGates = [...gatesOf(spec.template.spec), { conditionType: GATE }];
  await kube.patch(kind, { name, namespace }, { spec: { template: { spec: { readinessGates } } } });
}

/**
 * Waits for a pod whose containers are all ready, and that only the check holds back.
 *
 * @throws WaitTimeout with what such pods lack
 * @throws DoesNotFit when something has taken the gate out of the template
 */
export function heldBack(kube: KubeClient, handle: WorkloadHandle): Promise<Pod> {
  const { kind, name, namespace } = handle;
  return waitFor<Pod>({
    what: `a new pod of ${kind} ${name} whose containers are ready`,
    timeoutMs: START_MS,
    look: async () => {
      const { spec } = await handle.read();
      if (!isGated(spec.template.spec))
        throw new DoesNotFit(`something has undone a change of ${kind} ${name}`, {
          hint: 'The check changes its pod template. A controller that owns the workload does not let it.',
        });
      const pods = (await kube.list('Pod', { namespace })).filter(
        (pod) => isGated(pod.spec) && pod.metadata.deletionTimestamp === undefined,
      );
      const held = pods.find((pod) => hasCondition(pod, 'ContainersReady') && !hasCondition(pod, GATE));
      if (held) return { done: true, value: held };
      const seen = pods.map(({ metadata, status }) => `${metadata.name} is ${status?.phase ?? 'new'}`);
      return { done: false, seen: seen.join(', ') || 'no new pod' };
    },
  });
}

/** Makes a pod with the gate ready, or takes its readiness back. The kubelet follows. */
export function admit(kube: KubeClient, { metadata }: Pod, isAdmitted = true): Promise<void> {
  const { name, namespace } = metadata;
  const status = isAdmitted ? 'True' : 'False';
  const lastTransitionTime = new Date().toISOString();
  return waitFor<undefined>({
    what: `condition ${GATE} of pod ${name} to be ${status}`,
    timeoutMs: CONDITION_MS,
    look: async () => {
      const conditions = (await kube.get('Pod', { name, namespace }))?.status?.conditions ?? [];
      const at = conditions.findIndex(({ type }) => type === GATE);
      if (conditions[at]?.status === status) return { done: true, value: undefined };
      const value = { type: GATE, status, lastTransitionTime };
      const path = `/status/conditions/${at}`;
      const patch =
        at < 0
          ? [{ op: 'add', path: '/status/conditions/-', value }]
          : [
              { op: 'test', path: `${path}/type`, value: GATE },
              { op: 'replace', path, value },
            ];
      // The kubelet writes the same list.
      const refused = await kube.patch('Pod', { name, namespace }, patch, { subresource: 'status' }).then(
        () => undefined,
        (error: unknown) => messageOf(error),
      );
      return { done: false, seen: refused ?? 'not yet' };
    },
  });
}

function isGated(spec: PodSpec): boolean {
  return gatesOf(spec).some((gate) => field(gate, 'conditionType') === GATE);
}

function gatesOf(spec: PodSpec): unknown[] {
  const gates = spec['readinessGates'];
  return Array.isArray(gates) ? (gates as unknown[]) : [];
}
