/** What components report as Events. */
import { waitFor } from '../../core/deadline.ts';
import type { KubeClient } from '../../kube/api/client.ts';
import type { WaitLimits } from './limits.ts';

export interface WantedEvent {
  reason: string;
  /** Part of the message. */
  message: string;
  about?: { kind: string; name: string };
}

export interface EventWait extends WaitLimits {
  /** Read before the events: why the event can no longer come, or `undefined` while it can. */
  unless?: () => Promise<string | undefined>;
}

/**
 * Waits for an event and returns its message. Default limit 60 000 ms.
 *
 * @throws WaitTimeout with the last message of that reason, early when `unless` gives a reason
 */
export function eventReported(
  kube: KubeClient,
  namespace: string,
  { reason, message: part, about }: WantedEvent,
  { unless, ...wait }: EventWait = {},
): Promise<string> {
  return waitFor<string>({
    what: `an event ${reason} that names ${part}`,
    timeoutMs: 60_000,
    ...wait,
    look: async () => {
      const obstacle = await unless?.();
      const events = await kube.list('Event', {
        namespace,
        fieldSelector: `reason=${reason}`,
        signal: wait.signal,
      });
      const messages = events
        .filter(
          ({ involvedObject: { kind, name } }) => !about || (kind === about.kind && name === about.name),
        )
        .map(({ message = '' }) => message);
      const found = messages.find((message) => message.includes(part));
      if (found !== undefined) return { done: true, value: found };
      const seen = messages.at(-1) ?? `no event ${reason}`;
      return obstacle === undefined ? { done: false, seen } : { done: false, seen, hopeless: obstacle };
    },
  });
}
