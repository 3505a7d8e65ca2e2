import { randomInt } from 'node:crypto';

/** On everything that a run creates, in the cluster and in the engine; its value is the run's id. */
export const RUN_LABEL = 'kindproof.dev/run';

/** A new run's id: sorts by time, fits into names of namespaces and containers, e.g. `1121-0942-k3f`. */
export function newRunId(now = new Date()): string {
  const two = (n: number): string => String(n).padStart(2, '0');
  const random = randomInt(36 ** 3)
    .toString(36)
    .padStart(3, '0');
  return `${two(now.getMonth() + 1)}${two(now.getDate())}-${two(now.getHours())}${two(now.getMinutes())}-${random}`;
}
