/** Evictions by the kubelet, also of pods that ended in time or are gone. */
import type { KubeEvent, Pod } from '../../../kube/api/types.ts';
import { clip, count, listed } from '../../../core/wording.ts';
import { HINT } from './hints.ts';
import type { Explanation, World } from '../world.ts';
import { eventsOf, RANK } from '../world.ts';

/**
 * Why the kubelet evicted the pod; undefined when it did not.
 *
 * A pod that ends within its grace period has no reason in its status, and its phase may be Succeeded: then only the condition or the
 * kubelet's event shows the eviction.
 */
export function evictionOf(pod: Pod, events: readonly KubeEvent[] = []): string | undefined {
  const { status } = pod;
  const condition = status?.conditions?.find(
    ({ type, reason }) => type === 'DisruptionTarget' && reason === 'TerminationByKubelet',
  );
  const event = eventsOf(events, { ...pod, kind: 'Pod' }).findLast(({ reason }) => reason === 'Evicted');
  if (status?.reason !== 'Evicted' && !condition && !event) return undefined;
  return (status?.message ?? condition?.message ?? event?.message ?? 'no message').trim();
}

/** Whether the node ran out of something: then the victim may not be the cause. A pod that exceeds its own limit is. */
export function isEvictedByNode(message: string): boolean {
  return /^The node (was low|had condition)/.test(message);
}

/** A limit of the pod itself, or a node that ran out of something. */
export function evictionHint(message: string): string {
  const volume = /EmptyDir volume "([^"]+)"/.exec(message)?.[1];
  if (volume !== undefined)
    return `Raise sizeLimit of volume ${volume}, or write less to it: the node has room, the limit is of the pod itself.`;
  return /ephemeral (local )?storage (usage|limit)/.test(message) ? HINT.ephemeralStorage : HINT.eviction;
}

/** Evictions of pods that do not exist any more: their owner replaces them at once, and a cleanup deletes them. */
export function explainGoneEvictions({ events, pods }: World): Explanation[] {
  const byMessage = new Map<string, Set<string>>();
  for (const { reason, message, involvedObject } of events) {
    const { kind, name } = involvedObject;
    if (reason !== 'Evicted' || kind !== 'Pod' || pods.some(({ metadata }) => metadata.name === name))
      continue;
    const text = clip(message ?? 'no message');
    byMessage.set(text, (byMessage.get(text) ?? new Set()).add(name));
  }
  return [...byMessage].map(([message, found]) => {
    const names = [...found];
    const [one] = names;
    const cause =
      names.length === 1
        ? { object: `Pod ${one ?? ''}`, says: `was evicted, and is gone: ${message}` }
        : {
            object: `${count(names.length, 'pod')} (${listed(names, 3)})`,
            says: `were evicted, and are gone: ${message}`,
          };
    return { causes: [cause], hint: evictionHint(message), rank: RANK.node };
  });
}
