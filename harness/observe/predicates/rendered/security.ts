/** Security contexts in manifests. The API server itself checks Pod Security Standards. */
import type { KubeObject } from '../../../kube/api/types.ts';
import { field, podSpecOf, workloads } from '../../../kube/manifests/objects.ts';
import { containerOf, containersOf, everyOne, noContainer, selectedNothing } from '../select.ts';
import type { PredicateResult } from '../result.ts';

/** Fields of a security context with their expected values; lists are compared without order. */
type SecurityExpectation = Readonly<Record<string, unknown>>;

/**
 * The container's own context over the pod's (SecurityContext v1 core: "If set in both SecurityContext and PodSecurityContext, the value
 * specified in SecurityContext takes precedence").
 */
function effectiveSecurityContext(
  object: KubeObject,
  container: string,
): Record<string, unknown> | undefined {
  const found = containerOf(object, container);
  if (!found) return undefined;
  return { ...podSpecOf(object)?.securityContext, ...found.container.securityContext };
}

/** The effective security context of a container has these values. */
export function securityContextIs(
  object: KubeObject,
  container: string,
  wanted: SecurityExpectation,
): PredicateResult {
  const expected = `container ${container} with ${text(wanted)}`;
  const context = effectiveSecurityContext(object, container);
  if (!context) return noContainer(expected, object, container);
  return compare(expected, context, wanted);
}

/** No container is privileged, and no pod shares a namespace of its node. */
export function nothingIsPrivileged(objects: readonly KubeObject[]): PredicateResult {
  return everyOne(containersOf(workloads(objects)), {
    expected: 'no container is privileged or in a namespace of its node',
    what: 'containers',
    title: (entry) => entry.title,
    wrong: ({ object, container }) => {
      if (container.securityContext?.['privileged'] === true) return 'is privileged';
      const spec = podSpecOf(object);
      const shared = ['hostNetwork', 'hostPID', 'hostIPC'].filter((name) => spec?.[name] === true);
      return shared.length === 0 ? undefined : `runs with ${shared.join(', ')}`;
    },
  });
}

function compare(
  expected: string,
  context: Record<string, unknown>,
  wanted: SecurityExpectation,
): PredicateResult {
  const keys = Object.keys(wanted);
  if (keys.length === 0) return selectedNothing(expected, 'no field was expected');
  const details = keys
    .filter((key) => canonical(context[key]) !== canonical(wanted[key]))
    .map((key) => `${key} is ${text(field(context, key))} instead of ${text(wanted[key])}`);
  return { ok: details.length === 0, expected, actual: text(context), details };
}

/** The order of lists (capabilities, groups) and of map fields does not matter. */
function canonical(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(canonical).sort().join(',')}]`;
  if (typeof value !== 'object' || value === null) return JSON.stringify(value);
  const entries = Object.entries(value).sort(([a], [b]) => a.localeCompare(b));
  return `{${entries.map(([key, v]) => `${key}:${canonical(v)}`).join(',')}}`;
}

function text(value: unknown): string {
  return value === undefined ? 'not set' : JSON.stringify(value);
}
