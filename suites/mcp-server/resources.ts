/** Resources for a second server that are different from those of the first one, and enough for it. */
import { parseQuantity } from '../../harness/kube/api/quantity.ts';
import type { Container } from '../../harness/kube/api/types.ts';

const MEBI = 2 ** 20;

/** Limits of cpu and memory that are a little higher than these, in units that the API keeps: `129Mi`, `510m`. */
export function otherLimits({ limits = {}, requests = {} }: NonNullable<Container['resources']> = {}): {
  cpu: string;
  memory: string;
} {
  const of = (name: string, otherwise: string): number =>
    Math.max(...[limits[name] ?? otherwise, requests[name] ?? '0'].map(parseQuantity));
  return {
    cpu: `${Math.ceil(of('cpu', '500m') * 1000) + 10}m`,
    memory: `${Math.ceil(of('memory', '512Mi') / MEBI) + 1}Mi`,
  };
}
