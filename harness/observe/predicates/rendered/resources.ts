/** Requests and limits in manifests. */
import { parseQuantity } from '../../../kube/api/quantity.ts';
import type { KubeObject } from '../../../kube/api/types.ts';
import { workloads } from '../../../kube/manifests/objects.ts';
import { containerOf, containersOf, everyOne, noContainer } from '../select.ts';
import type { PredicateResult } from '../result.ts';

interface Resources {
  requests?: Record<string, string>;
  limits?: Record<string, string>;
}

/** Every container, init containers and sidecars included, has requests and limits of cpu and memory. */
export function everyContainerHasResources(objects: readonly KubeObject[]): PredicateResult {
  return everyOne(containersOf(workloads(objects)), {
    expected: 'every container has requests and limits of cpu and memory',
    what: 'containers',
    title: (entry) => entry.title,
    wrong: ({ container }) => {
      const missing = (['requests', 'limits'] as const).flatMap((kind) =>
        ['cpu', 'memory']
          .filter((name) => container.resources?.[kind]?.[name] === undefined)
          .map((name) => `${kind}.${name}`),
      );
      return missing.length === 0 ? undefined : `has no ${missing.join(', ')}`;
    },
  });
}

/** A container has exactly the expected resources; `0.5` equals `500m`. */
export function resourcesAre(object: KubeObject, container: string, wanted: Resources): PredicateResult {
  const expected = `container ${container} with ${resourceText(wanted)}`;
  const found = containerOf(object, container);
  if (!found) return noContainer(expected, object, container);
  const actual = found.container.resources ?? {};
  const details = (['requests', 'limits'] as const).flatMap((kind) => {
    const names = new Set([...Object.keys(wanted[kind] ?? {}), ...Object.keys(actual[kind] ?? {})]);
    return [...names].flatMap((name) => {
      const [want, have] = [wanted[kind]?.[name], actual[kind]?.[name]];
      return same(want, have)
        ? []
        : [`${kind}.${name} is ${have ?? 'not set'} instead of ${want ?? 'not set'}`];
    });
  });
  return { ok: details.length === 0, expected, actual: resourceText(actual), details };
}

function same(a: string | undefined, b: string | undefined): boolean {
  if (a === undefined || b === undefined) return a === b;
  return parseQuantity(a) === parseQuantity(b);
}

function resourceText({ requests, limits }: Resources): string {
  const part = (name: string, list: Record<string, string> = {}): string =>
    `${name} ${
      Object.entries(list)
        .map(([key, value]) => `${key}=${value}`)
        .join(' ') || 'none'
    }`;
  return `${part('requests', requests)}, ${part('limits', limits)}`;
}
