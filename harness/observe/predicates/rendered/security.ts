/** Security contexts as the manifests have them. Whether a pod meets a Pod Security Standard is for the API server to say. */
import type { KubeObject } from '../../../kube/api/types.ts';
import { field, nameOf, podSpecOf, workloads } from '../../../kube/manifests/objects.ts';
import { containerOf, containersOf, everyOne, selectedNothing } from '../select.ts';
import type { PredicateResult } from '../result.ts';

/** Fields of a security context with their expected values; lists are compared without order. */
export type SecurityExpectation = Readonly<Record<string, unknown>>;

/**
 * What is in force for a container: its own context over the pod's, for the fields that both have
 * (SecurityContext v1 core: "If set in both SecurityContext and PodSecurityContext, the value specified in SecurityContext takes precedence").
 */
export function effectiveSecurityContext(
  object: KubeObject,
  container: string,
): Record<string, unknown> | undefined {
  const found = containerOf(object, container);
  if (!found) return undefined;
  return { ...podSpecOf(object)?.securityContext, ...found.container.securityContext };
}

/** The context in force for one container has these values. */
export function securityContextIs(
  object: KubeObject,
  container: string,
  wanted: SecurityExpectation,
): PredicateResult {
  const expected = `container ${container} with ${text(wanted)}`;
  const context = effectiveSecurityContext(object, container);
  if (!context) return selectedNothing(expected, `${nameOf(object)} has no container ${container}`);
  return compare(expected, context, wanted);
}

/** The pod's own context has these values. */
export function podSecurityContextIs(object: KubeObject, wanted: SecurityExpectation): PredicateResult {
  const expected = `pod security context ${text(wanted)}`;
  const spec = podSpecOf(object);
  if (!spec) return selectedNothing(expected, `${nameOf(object)} has no pod`);
  return compare(expected, spec.securityContext ?? {}, wanted);
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

/** Hardened as the production checklists ask: no root, no capabilities, no escalation, read-only root, default seccomp profile. */
export function containerIsHardened(object: KubeObject, container: string): PredicateResult {
  return securityContextIs(object, container, {
    runAsNonRoot: true,
    allowPrivilegeEscalation: false,
    readOnlyRootFilesystem: true,
    capabilities: { drop: ['ALL'] },
    seccompProfile: { type: 'RuntimeDefault' },
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

/** Lists of capabilities and groups have no order; neither have the fields of a map. */
function canonical(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(canonical).sort().join(',')}]`;
  if (typeof value !== 'object' || value === null) return JSON.stringify(value);
  const entries = Object.entries(value).sort(([a], [b]) => a.localeCompare(b));
  return `{${entries.map(([key, v]) => `${key}:${canonical(v)}`).join(',')}}`;
}

function text(value: unknown): string {
  return value === undefined ? 'not set' : JSON.stringify(value);
}
