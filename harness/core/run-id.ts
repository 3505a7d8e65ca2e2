import { randomInt } from 'node:crypto';

/** Label on everything that a run creates, in the cluster and in the engine. Its value is the run id. */
export const RUN_LABEL = 'kindproof.dev/run';

/** What every run id looks like. */
export const RUN_ID = /^\d{4}-\d{4}-[0-9a-z]{3}$/;

/** A new run id, `1121-0942-k3f`: sorts by time and is valid in names of namespaces and containers. */
export function newRunId(now = new Date()): string {
  const two = (n: number): string => String(n).padStart(2, '0');
  const random = randomInt(36 ** 3)
    .toString(36)
    .padStart(3, '0');
  return `${two(now.getMonth() + 1)}${two(now.getDate())}-${two(now.getHours())}${two(now.getMinutes())}-${random}`;
}

/** The run that a namespace is named after, `kp-1121-0942-k3f-toolman`; also when the namespace no longer exists. */
export function runOfNamespace(namespace: string): string | undefined {
  return /^kp-(\d{4}-\d{4}-[0-9a-z]{3})(?:-|$)/.exec(namespace)?.[1];
}

/** Annotation of a node that a run has cordoned, with the id of the run: a label would make it an object of the run. */
export const CORDONED_BY = 'kindproof.dev/cordoned-by';
