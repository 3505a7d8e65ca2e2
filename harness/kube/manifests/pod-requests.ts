/** What a pod asks of a node, as the scheduler reckons. Pure. */
import { parseQuantity } from '../api/quantity.ts';
import type { PodSpec } from '../api/types.ts';
import { allContainers, field } from './objects.ts';

/** Whole numbers, so that sums are exact. */
export interface Amounts {
  /** Thousandths of a core. */
  cpu: number;
  /** Bytes. */
  memory: number;
}

type Resource = keyof Amounts;

/**
 * The requests of a pod: the sum over its containers and sidecars, at least what one of its init containers needs with the sidecars that
 * start before it (KEP-753). A limit without a request is a request (API defaults of Container). What a pod states for itself takes the
 * place of the sum (KEP-2837). Overhead of a RuntimeClass and defaults of a LimitRange are not known.
 *
 * @throws UsageError `E_QUANTITY`
 */
export function podRequests(spec: PodSpec): Amounts {
  return { cpu: requestOf(spec, 'cpu'), memory: requestOf(spec, 'memory') };
}

function requestOf(spec: PodSpec, name: Resource): number {
  const own = stated(spec['resources'], name);
  if (own !== undefined) return own;
  let sidecars = 0;
  let main = 0;
  let largest = 0;
  for (const { role, container } of allContainers(spec)) {
    const amount = stated(container.resources, name) ?? 0;
    if (role === 'sidecar') sidecars += amount;
    else if (role === 'init') largest = Math.max(largest, sidecars + amount);
    else if (role === 'main') main += amount;
  }
  return Math.max(main + sidecars, largest);
}

function stated(resources: unknown, name: Resource): number | undefined {
  const quantity = field(field(resources, 'requests'), name) ?? field(field(resources, 'limits'), name);
  return typeof quantity === 'string' || typeof quantity === 'number'
    ? wholeAmount(quantity, name)
    : undefined;
}

/** Thousandths of a core, or bytes; rounded up, as the API server does. */
export function wholeAmount(quantity: string | number, name: Resource): number {
  const amount = parseQuantity(quantity) * (name === 'cpu' ? 1000 : 1);
  // 0.29 cores times 1000 is a little more than 290.
  return Math.ceil(amount - 1e-6);
}
