/**
 * What the objects of a server make of it, as facts that can be compared: by name, each with its value in words. Names, labels and other
 * choices that the server does not notice are left out.
 */
import type { Container, KubeObject, Probe } from '../../harness/kube/api/types.ts';
import { parseQuantity } from '../../harness/kube/api/quantity.ts';
import { field, find } from '../../harness/kube/manifests/objects.ts';
import { onlyService, portOf, serverIn, targetOf, variablesOf } from './server.ts';

export type Shape = ReadonlyMap<string, string>;

/** For a variable whose value nobody should see. */
const SECRET = 'from a Secret';

/**
 * The facts of a server.
 *
 * @param release with the namespace of the objects
 * @throws DoesNotFit when no single server is among the objects
 */
export function shapeOf(objects: readonly KubeObject[], release: { namespace: string }): Shape {
  const { model, container } = serverIn(objects, release);
  const facts = new Map<string, string>();
  facts.set('replicas', String(model.replicas?.least ?? 'not stated'));
  facts.set('image', container.image);
  const command = [...(container.command ?? []), ...(container.args ?? [])];
  // What the image starts by itself is not known.
  if (command.length > 0) facts.set('command', command.join(' '));
  facts.set('standard input', container['stdin'] === true ? 'open' : 'closed');
  for (const which of ['requests', 'limits'] as const)
    for (const [name, quantity] of Object.entries(container.resources?.[which] ?? {}))
      facts.set(`${which} of ${name}`, String(parseQuantity(quantity)));
  for (const which of ['readinessProbe', 'livenessProbe'] as const) {
    const probe = container[which];
    facts.set(which, probe ? 'present' : 'none');
    if (probe) facts.set(`form of ${which}`, formOf(probe));
  }
  for (const [name, value] of variables(container, objects)) facts.set(`variable ${name}`, value);
  facts.set('Service', model.services.length === 0 ? 'none' : 'one');
  if (model.services.length > 0) {
    const service = onlyService(model);
    facts.set('type of the Service', service.spec.type ?? 'ClusterIP');
    facts.set('port of the Service', String(portOf(service).port));
    facts.set('port of the server', String(targetOf(service, container) ?? 'unknown'));
  }
  return facts;
}

/** Facts in which two shapes differ: `port of the Service: 8080 and 9090`. */
export function differences(one: Shape, other: Shape): { fact: string; says: string }[] {
  const facts = [...new Set([...one.keys(), ...other.keys()])].toSorted();
  return facts
    .filter((fact) => one.get(fact) !== other.get(fact))
    .map((fact) => ({
      fact,
      says: `${fact}: ${one.get(fact) ?? 'absent'} and ${other.get(fact) ?? 'absent'}`,
    }));
}

function formOf(probe: Probe): string {
  if (probe.httpGet) return `GET ${probe.httpGet.path ?? '/'}`;
  return ['tcpSocket', 'exec', 'grpc'].find((kind) => field(probe, kind) !== undefined) ?? 'unknown';
}

/** `env` counts more than `envFrom`, and of its sources the last one (Container, v1). */
function variables(container: Container, objects: readonly KubeObject[]): Map<string, string> {
  const found = new Map<string, string>();
  for (const { configMapRef, secretRef } of container.envFrom ?? []) {
    for (const [key, value] of Object.entries(contentOf(objects, 'ConfigMap', configMapRef?.name)))
      found.set(key, value);
    for (const key of Object.keys(contentOf(objects, 'Secret', secretRef?.name))) found.set(key, SECRET);
  }
  for (const { name, value, valueFrom } of variablesOf(container)) {
    const { name: map, key = '' } = valueFrom?.['configMapKeyRef'] ?? {};
    if (valueFrom?.['secretKeyRef']) found.set(name, SECRET);
    else if (map !== undefined) found.set(name, contentOf(objects, 'ConfigMap', map)[key] ?? 'unknown');
    else if (valueFrom === undefined) found.set(name, value ?? '');
    else found.set(name, 'of the pod');
  }
  return found;
}

function contentOf(
  objects: readonly KubeObject[],
  kind: string,
  name: string | undefined,
): Record<string, string> {
  const object = name === undefined ? undefined : find(objects, kind, name);
  return { ...(object?.['data'] ?? {}), ...(object?.['stringData'] ?? {}) };
}
