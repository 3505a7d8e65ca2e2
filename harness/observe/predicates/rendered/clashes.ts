/** Whether systems on one cluster get into each other's way: names, ports of nodes, selectors. */
import { matchesLabels, matchesSelector } from '../../../kube/api/selectors.ts';
import type { KubeObject, LabelSelector, Pod, PodSpec, Service } from '../../../kube/api/types.ts';
import { allContainers, field, fullNameOf, nameOf, podSpecOf } from '../../../kube/manifests/objects.ts';
import { nothingWrong, type PredicateResult } from '../result.ts';
import { selectedNothing } from '../select.ts';

export interface System {
  name: string;
  /** Of objects that name none. */
  namespace: string;
  objects: readonly KubeObject[];
}

/**
 * No object of one system has the name of an object of another one, and no port of a node is asked for twice.
 *
 * @param clusterScoped kinds whose objects are in no namespace
 */
export function canBeTogether(
  systems: readonly System[],
  clusterScoped: ReadonlySet<string>,
): PredicateResult {
  const expected = `${systems.length} systems share no name and no port of a node`;
  if (systems.some(({ objects }) => objects.length === 0))
    return selectedNothing(expected, 'a system has no objects');
  const claims = systems.flatMap((system) =>
    system.objects.flatMap((object) => [
      { system, what: identityOf(object, system, clusterScoped), by: '' },
      ...portsOf(object).map((what) => ({ system, what, by: ` by ${nameOf(object)}` })),
    ]),
  );
  const complaints = [...new Set(claims.map(({ what }) => what))].flatMap((what) => {
    const found = claims.filter((one) => one.what === what);
    const owners = [...new Map(found.map((one) => [one.system.name, one])).values()];
    if (owners.length < 2) return [];
    return [`${what} is claimed by ${owners.map(({ system, by }) => `${system.name}${by}`).join(' and ')}`];
  });
  return {
    ...nothingWrong(expected, complaints),
    observed: systems.map(
      ({ name, namespace, objects }) => `${name}: ${objects.length} objects, ${namespace}`,
    ),
  };
}

/** `ClusterRole reader`, `ConfigMap shop/settings`. */
function identityOf(object: KubeObject, home: System, clusterScoped: ReadonlySet<string>): string {
  if (clusterScoped.has(object.kind)) return nameOf(object);
  const { namespace = home.namespace } = object.metadata;
  return fullNameOf({ ...object, metadata: { ...object.metadata, namespace } });
}

/** Ports of every node, or of the nodes of a pod: another pod or Service cannot have them. */
function portsOf(object: KubeObject): string[] {
  if (object.kind === 'Service') {
    const { ports = [] } = (object as Service).spec;
    return ports.flatMap((port) => {
      const { nodePort, protocol = 'TCP' } = port as typeof port & { protocol?: string };
      return nodePort === undefined ? [] : [`node port ${nodePort}/${protocol}`];
    });
  }
  const spec = podSpecOf(object);
  return spec ? hostPortsOf(spec) : [];
}

function hostPortsOf(spec: PodSpec): string[] {
  const isOnHost = field(spec, 'hostNetwork') === true;
  return allContainers(spec).flatMap(({ container: { ports = [] } }) =>
    ports.flatMap((port) => {
      const { hostPort, protocol = 'TCP' } = port as typeof port & { hostPort?: number; protocol?: string };
      const number = hostPort ?? (isOnHost ? port.containerPort : undefined);
      return number === undefined ? [] : [`host port ${number}/${protocol}`];
    }),
  );
}

/**
 * No selector of a system matches a pod of another one in its namespace: of Services, workloads, disruption budgets, network policies.
 *
 * @param podsOf the running pods of a system
 */
export function selectOnlyTheirOwn(
  systems: readonly System[],
  podsOf: Readonly<Record<string, readonly Pod[]>>,
): PredicateResult {
  const expected = 'every selector matches pods of its own system only';
  const pods = systems.flatMap(({ name }) => (podsOf[name] ?? []).map((pod) => ({ system: name, pod })));
  if (systems.some(({ name }) => (podsOf[name] ?? []).length === 0))
    return selectedNothing(expected, 'a system has no pods');
  const complaints = systems.flatMap((system) =>
    system.objects.flatMap((object) => {
      const matches = selectorOf(object);
      const namespace = object.metadata.namespace ?? system.namespace;
      return pods
        .filter(
          ({ system: other, pod: { metadata } }) => other !== system.name && metadata.namespace === namespace,
        )
        .filter(({ pod }) => matches(pod.metadata.labels ?? {}))
        .map(
          ({ system: other, pod }) =>
            `${nameOf(object)} of ${system.name} selects pod ${pod.metadata.name} of ${other}`,
        );
    }),
  );
  return {
    ...nothingWrong(expected, complaints),
    observed: [`${pods.length} pods of ${systems.length} systems`],
  };
}

function selectorOf({ kind, spec }: KubeObject): (labels: Record<string, string>) => boolean {
  const selector = field(spec, kind === 'NetworkPolicy' ? 'podSelector' : 'selector');
  if (kind === 'Service') return (labels) => matchesLabels(selector as Record<string, string>, labels);
  // A claim selects volumes.
  if (kind === 'PersistentVolumeClaim') return () => false;
  return (labels) => matchesSelector(selector as LabelSelector | undefined, labels);
}
