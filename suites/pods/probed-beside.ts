/** Time for the kubelets to probe a release and its controls side by side. */
import { seconds, waitFor } from '../../harness/core/deadline.ts';
import { withLostTime } from '../../harness/core/lost-time.ts';

/**
 * Waits so long by the clock, in ms. Time in which other programs use the cores counts, too: then the probes of both are late, and the
 * controls say so. Waiting for a machine with idle cores may take for ever.
 */
export function probedBeside(ms: number): Promise<void> {
  let begun: number | undefined;
  return withLostTime(undefined, () =>
    waitFor({
      what: `${seconds(ms)} beside the control pods`,
      timeoutMs: 2 * ms,
      intervalMs: 1000,
      look: (now) => {
        begun ??= now;
        return Promise.resolve(
          now - begun >= ms ? { done: true, value: undefined } : { done: false, seen: seconds(now - begun) },
        );
      },
    }),
  );
}
