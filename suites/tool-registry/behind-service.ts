/** Who is behind the registry's Service: the controller of its endpoints comes to a pod some time after its readiness has changed. */
import { waitFor } from '../../harness/core/deadline.ts';
import type { Pod } from '../../harness/kube/api/types.ts';
import type { Release } from '../../harness/run/suite/release.ts';
import { SERVICE } from './names.ts';

const TIMEOUT_MS = 60_000;

export interface BehindService {
  /** Completes the sentence "waited for …". Default: that these pods are behind the Service. */
  what?: string;
  /** Default 60 000 ms. */
  timeoutMs?: number;
}

/** Waits until the Service leads to just these pods, by the recording of the release. */
export function untilBehindService(
  { recording }: Pick<Release, 'recording'>,
  pods: readonly Pod[],
  { what, timeoutMs = TIMEOUT_MS }: BehindService = {},
): Promise<void> {
  const wanted = pods.map(({ metadata }) => metadata.name);
  return waitFor<undefined>({
    what: what ?? `${wanted.join(', ') || 'nobody'} to be behind Service ${SERVICE}`,
    timeoutMs,
    look: () => {
      const ready = recording.endpointsOf(SERVICE).at(-1)?.ready ?? new Set<string>();
      const all = ready.size === wanted.length && wanted.every((name) => ready.has(name));
      if (all) return Promise.resolve({ done: true, value: undefined });
      return Promise.resolve({ done: false, seen: [...ready].join(', ') || 'nobody' });
    },
  });
}
