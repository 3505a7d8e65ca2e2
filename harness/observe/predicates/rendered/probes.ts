/** Probes in manifests. */
import type { KubeObject, Probe } from '../../../kube/api/types.ts';
import { longRunning } from '../../../kube/manifests/objects.ts';
import { containerOf, containersOf, everyOne, noContainer, selectedNothing } from '../select.ts';
import type { PredicateResult } from '../result.ts';

export type ProbeName = 'livenessProbe' | 'readinessProbe' | 'startupProbe';

/** Expected settings of a probe; absent settings are not compared. */
export interface ProbeExpectation {
  path?: string;
  /** As written in the manifest: a port name differs from its number. */
  port?: string | number;
  initialDelaySeconds?: number;
  periodSeconds?: number;
  timeoutSeconds?: number;
  failureThreshold?: number;
  successThreshold?: number;
}

/** Defaults of the API (Probe v1 core). */
const DEFAULTS = {
  initialDelaySeconds: 0,
  periodSeconds: 10,
  timeoutSeconds: 1,
  failureThreshold: 3,
  successThreshold: 1,
} as const;

/** A probe has the expected settings; an absent setting counts as its default. */
export function probeSettings(
  object: KubeObject,
  container: string,
  name: ProbeName,
  wanted: ProbeExpectation,
): PredicateResult {
  const expected = `${name} of container ${container} with ${settingsText(wanted)}`;
  const found = containerOf(object, container);
  if (!found) return noContainer(expected, object, container);
  const probe = found.container[name];
  if (!probe) return { ok: false, expected, actual: `container ${container} has no ${name}` };
  const actual: ProbeExpectation = { ...handlerOf(probe), ...DEFAULTS, ...timings(probe) };
  const keys = Object.keys(wanted) as (keyof ProbeExpectation)[];
  if (keys.length === 0) return selectedNothing(expected, 'no setting was expected');
  const details = keys
    .filter((key) => wanted[key] !== undefined && actual[key] !== wanted[key])
    .map((key) => `${key} is ${actual[key] ?? 'not set'} instead of ${wanted[key]}`);
  return { ok: details.length === 0, expected, actual: settingsText(actual), details };
}

/** Every container of a long-running workload that listens on a port has a liveness and a readiness probe. */
export function listenersHaveProbes(objects: readonly KubeObject[]): PredicateResult {
  const listeners = containersOf(longRunning(objects)).filter(
    ({ role, container }) =>
      (role === 'main' || role === 'sidecar') &&
      (container.ports ?? []).some((port) => (port.protocol ?? 'TCP') === 'TCP'),
  );
  return everyOne(listeners, {
    expected: 'every long-running container with a port has a liveness and a readiness probe',
    what: 'long-running containers with a port',
    title: (entry) => entry.title,
    wrong: ({ container }) => {
      const missing = (['livenessProbe', 'readinessProbe'] as const).filter((name) => !container[name]);
      return missing.length === 0 ? undefined : `has no ${missing.join(' and no ')}`;
    },
  });
}

function handlerOf(probe: Probe): ProbeExpectation {
  const { httpGet, tcpSocket, grpc } = probe;
  const port = httpGet?.port ?? tcpSocket?.port ?? grpc?.port;
  return {
    ...(httpGet ? { path: httpGet.path ?? '/' } : {}),
    ...(port === undefined ? {} : { port }),
  };
}

type Timings = { [key in keyof typeof DEFAULTS]?: number };

function timings(probe: Probe): Timings {
  const keys = Object.keys(DEFAULTS) as (keyof typeof DEFAULTS)[];
  return Object.fromEntries(keys.flatMap((key) => (probe[key] === undefined ? [] : [[key, probe[key]]])));
}

function settingsText(settings: ProbeExpectation): string {
  return Object.entries(settings)
    .map(([key, value]) => `${key} ${String(value)}`)
    .join(', ');
}
