/** Warning events that no other explanation reads. */
import { clip, count } from '../../../core/wording.ts';
import type { KubeEvent } from '../../../kube/api/types.ts';
import { eventCount } from '../../recorder/events.ts';
import type { Explanation, World } from '../world.ts';
import { RANK } from '../world.ts';

/**
 * Reasons that the other explanations read, as far as they still hold. A healthy release has them, too: probes fail until the application
 * listens, and a pod waits for its claim.
 */
const READ_ELSEWHERE = new Set([
  'BackOff',
  'Evicted',
  'Failed',
  'FailedAttachVolume',
  'FailedCreate',
  'FailedCreatePodSandBox',
  'FailedMapVolume',
  'FailedMount',
  'FailedPostStartHook',
  'FailedPreStopHook',
  'FailedScheduling',
  'FailedToUpdateEndpoint',
  'FailedToUpdateEndpointSlices',
  'ProbeWarning',
  'ProvisioningFailed',
  'Unhealthy',
]);

const MOST = 3;

/** The most frequent ones, each once with its message; shown only when nothing else is wrong. */
export function explainWarnings({ events }: Pick<World, 'events'>): Explanation[] {
  const found = new Map<string, { event: KubeEvent; times: number; objects: Set<string> }>();
  for (const event of events) {
    const { type, reason = '', message = '', involvedObject } = event;
    if (type !== 'Warning' || READ_ELSEWHERE.has(reason)) continue;
    const key = `${involvedObject.kind} ${reason} ${message.replaceAll(involvedObject.name, 'NAME')}`;
    const known = found.get(key) ?? { event, times: 0, objects: new Set<string>() };
    found.set(key, {
      event,
      times: known.times + eventCount(event),
      objects: known.objects.add(involvedObject.name),
    });
  }
  return [...found.values()]
    .sort((a, b) => b.times - a.times)
    .slice(0, MOST)
    .map(({ event, times, objects }) => {
      const { kind, name } = event.involvedObject;
      const more = objects.size > 1 ? ` (and ${objects.size - 1} more)` : '';
      const says = `has ${count(times, 'warning event')} ${event.reason ?? ''}: ${clip(event.message ?? '')}`;
      return { causes: [{ object: `${kind} ${name}${more}`, says }], rank: RANK.warning };
    });
}
