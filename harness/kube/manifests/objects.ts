/** Queries on rendered objects. */
import type { Container, KubeObject, Metadata, PodSpec } from '../api/types.ts';
import { isCoreApi } from './core-api.ts';

/** The pod template of an object, and its path in the object. */
export interface PodTemplate {
  metadata: Partial<Metadata>;
  spec: PodSpec;
  /** JSON Pointer of the pod spec, `/spec/template/spec`. */
  path: string;
}

export type ContainerRole = 'main' | 'init' | 'sidecar' | 'ephemeral';

/** A container and its role. A `sidecar` is an init container with restartPolicy Always (KEP-753). */
export interface ContainerEntry {
  role: ContainerRole;
  container: Container;
  /** JSON Pointer relative to the pod spec, `/initContainers/0`. */
  path: string;
}

/** An image reference and the containers that use it. */
export interface ImageUse {
  ref: string;
  namedBy: { object: KubeObject; container: string; role: ContainerRole }[];
}

const TEMPLATE_PATHS: Readonly<Record<string, readonly string[]>> = {
  Pod: [],
  Deployment: ['spec', 'template'],
  StatefulSet: ['spec', 'template'],
  DaemonSet: ['spec', 'template'],
  ReplicaSet: ['spec', 'template'],
  ReplicationController: ['spec', 'template'],
  Job: ['spec', 'template'],
  CronJob: ['spec', 'jobTemplate', 'spec', 'template'],
};

/** Kinds of Kubernetes whose names other APIs use for something else: a Service of Knative, a NetworkPolicy of Calico, a Job of Volcano. */
const ALSO_ELSEWHERE: ReadonlySet<string> = new Set([
  ...Object.keys(TEMPLATE_PATHS),
  'Service',
  'NetworkPolicy',
  'Ingress',
  'Role',
  'RoleBinding',
  'ClusterRole',
  'ClusterRoleBinding',
  'HorizontalPodAutoscaler',
]);

/** `Deployment toolman`, the form in which messages name an object. */
export function nameOf(object: KubeObject): string {
  return `${object.kind} ${object.metadata.name}`;
}

/** `ClusterRole reader`, `RoleBinding kube-system/reader`. */
export function fullNameOf({ kind, metadata }: KubeObject): string {
  return `${kind} ${metadata.namespace === undefined ? '' : `${metadata.namespace}/`}${metadata.name}`;
}

/** The object of this kind and name; without a name, the first of the kind. */
export function find(objects: readonly KubeObject[], kind: string, name?: string): KubeObject | undefined {
  return objects.find((o) => o.kind === kind && (name === undefined || o.metadata.name === name));
}

/** A kind of Kubernetes is not one of the same name that another API has. */
export function ofKind(objects: readonly KubeObject[], kind: string): KubeObject[] {
  return objects.filter((o) => o.kind === kind && (!ALSO_ELSEWHERE.has(kind) || isCoreApi(o.apiVersion)));
}

/** Events of the annotation `helm.sh/hook` (`pre-install`, `test`, …); empty for an ordinary object. */
export function hookEvents(object: KubeObject): string[] {
  const events = object.metadata.annotations?.['helm.sh/hook'] ?? '';
  return events
    .split(',')
    .map((event) => event.trim())
    .filter((event) => event !== '');
}

/** Whether helm creates the object for `helm test` only. */
export function isHelmTest(object: KubeObject): boolean {
  const events = hookEvents(object);
  return events.length > 0 && events.every((event) => event === 'test' || event === 'test-success');
}

/** Objects that run pods, hooks included. Pods of `helm test` are excluded: they are not part of the system. */
export function workloads(objects: readonly KubeObject[]): KubeObject[] {
  return objects.filter((object) => podTemplateOf(object) !== undefined && !isHelmTest(object));
}

/** Objects whose pods run continuously: all workloads except Jobs, CronJobs and hooks. */
export function longRunning(objects: readonly KubeObject[]): KubeObject[] {
  return workloads(objects).filter(
    (o) => o.kind !== 'Job' && o.kind !== 'CronJob' && hookEvents(o).length === 0,
  );
}

/** The pod template of the object; `undefined` when it has none. */
export function podTemplateOf(object: KubeObject): PodTemplate | undefined {
  const path = TEMPLATE_PATHS[object.kind];
  if (!path || !isCoreApi(object.apiVersion)) return undefined;
  const template = path.reduce<unknown>((value, key) => field(value, key), object);
  const spec = field(template, 'spec');
  if (typeof spec !== 'object' || spec === null) return undefined;
  const metadata = (field(template, 'metadata') ?? {}) as Partial<Metadata>;
  return { metadata, spec: spec as PodSpec, path: `/${[...path, 'spec'].join('/')}` };
}

export function podSpecOf(object: KubeObject): PodSpec | undefined {
  return podTemplateOf(object)?.spec;
}

/** All containers in start order. */
export function allContainers(spec: PodSpec): ContainerEntry[] {
  const entries = (
    list: unknown,
    key: string,
    role: (container: Container) => ContainerRole,
  ): ContainerEntry[] =>
    (Array.isArray(list) ? (list as Container[]) : []).map((container, index) => ({
      role: role(container),
      container,
      path: `/${key}/${index}`,
    }));
  return [
    ...entries(spec.initContainers, 'initContainers', (c) =>
      c.restartPolicy === 'Always' ? 'sidecar' : 'init',
    ),
    ...entries(spec.containers, 'containers', () => 'main'),
    ...entries(spec['ephemeralContainers'], 'ephemeralContainers', () => 'ephemeral'),
  ];
}

/** Every distinct image of the objects, in order of first use, including `helm test` pods. */
export function imagesOf(objects: readonly KubeObject[]): ImageUse[] {
  const uses = new Map<string, ImageUse>();
  for (const object of objects) {
    const spec = podSpecOf(object);
    if (!spec) continue;
    for (const { container, role } of allContainers(spec)) {
      const ref = container.image;
      if (typeof ref !== 'string' || ref === '') continue;
      const use = uses.get(ref) ?? { ref, namedBy: [] };
      use.namedBy.push({ object, container: container.name, role });
      uses.set(ref, use);
    }
  }
  return [...uses.values()];
}

/** Reads a field of a value that may not be an object. */
export function field(value: unknown, key: string): unknown {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>)[key] : undefined;
}
