/** Derives the model of a subject from its rendered objects. Pure. */
import { matchesLabels, matchesSelector } from '../../api/selectors.ts';
import type { KubeObject, Service } from '../../api/types.ts';
import {
  allContainers,
  field,
  hookEvents,
  isHelmTest,
  nameOf,
  ofKind,
  podTemplateOf,
  type PodTemplate,
} from '../objects.ts';
import { claimsOf, configurationOf } from './mounted.ts';
import type {
  DeclaredProbe,
  ExpectedReplicas,
  LifecycleHook,
  ModelWorkload,
  SubjectModel,
  WorkloadCourse,
} from './model.ts';
import { existsOnce } from './exists-once.ts';
import { rolesOf } from './roles.ts';

/**
 * The model of these objects.
 *
 * @param objects all rendered objects, hooks and tests included
 * @param release.namespace in which the release is rendered: objects that name another one are not in it
 */
export function modelOf(objects: readonly KubeObject[], release: { namespace: string }): SubjectModel {
  const near = (object: KubeObject): KubeObject[] =>
    objects.filter((other) => namespaceOf(other, release) === namespaceOf(object, release));
  const workloads = objects.flatMap((object) => {
    const template = podTemplateOf(object);
    return template ? [workloadOf(object, template, near(object), objects)] : [];
  });
  const selecting = new Set(workloads.flatMap(({ services }) => services));
  return {
    workloads,
    otherServices: servicesIn(objects).filter((service) => !selecting.has(service)),
    existsOnce: existsOnce(objects, release),
  };
}

/** The namespace of an object, as helm installs it. Meaningless for a cluster-scoped one. */
export function namespaceOf({ metadata }: KubeObject, release: { namespace: string }): string {
  return metadata.namespace ?? release.namespace;
}

/** Workloads whose pods run without an end, and belong to the system: no Jobs, tests or hooks. */
export function lasting({ workloads }: SubjectModel): ModelWorkload[] {
  return workloads.filter(
    ({ course, hookEvents: events }) => course === 'long-running' && events.length === 0,
  );
}

/**
 * @param near the rendered objects of the workload's namespace
 * @param all ClusterRoles have no namespace
 */
function workloadOf(
  object: KubeObject,
  template: PodTemplate,
  near: readonly KubeObject[],
  all: readonly KubeObject[],
): ModelWorkload {
  const labels = template.metadata.labels ?? {};
  // An absent selector is an empty one, which selects every pod (PodDisruptionBudget, policy/v1; NetworkPolicy, networking.k8s.io/v1).
  const selects = (selecting: KubeObject, key: string): boolean =>
    matchesSelector(field(selecting['spec'], key) ?? {}, labels);
  const autoscaler = ofKind(near, 'HorizontalPodAutoscaler').find((one) => scales(one, object));
  const account = template.spec.serviceAccountName ?? 'default';
  return {
    object,
    title: nameOf(object),
    course: courseOf(object),
    hookEvents: hookEvents(object),
    template,
    replicas: expectedReplicas(object, autoscaler),
    services: servicesIn(near).filter(({ spec }) => matchesLabels(spec.selector, labels)),
    claims: claimsOf(object, template.spec, near),
    configuration: configurationOf(template.spec, near),
    probes: probesOf(template),
    lifecycleHooks: lifecycleHooksOf(template),
    budgets: ofKind(near, 'PodDisruptionBudget').filter((budget) => selects(budget, 'selector')),
    networkPolicies: ofKind(near, 'NetworkPolicy').filter((policy) => selects(policy, 'podSelector')),
    autoscaler,
    account,
    roles: rolesOf(account, near, all),
    hostPorts: hostPortsOf(template),
  };
}

function courseOf(object: KubeObject): WorkloadCourse {
  if (isHelmTest(object)) return 'test';
  if (object.kind === 'Job') return 'job';
  if (object.kind === 'CronJob') return 'scheduled';
  // Helm waits until the pod of a hook has ended.
  return object.kind === 'Pod' && endsByItself(object) ? 'job' : 'long-running';
}

function endsByItself(pod: KubeObject): boolean {
  return hookEvents(pod).length > 0 || field(pod['spec'], 'restartPolicy') === 'Never';
}

/** An autoscaler takes precedence over `spec.replicas`; a number that is absent is 1 (Deployment and StatefulSet, apps/v1). */
function expectedReplicas(
  { kind, spec }: KubeObject,
  autoscaler: KubeObject | undefined,
): ExpectedReplicas | undefined {
  if (kind !== 'Deployment' && kind !== 'StatefulSet' && kind !== 'ReplicaSet') return undefined;
  const stated = field(spec, 'replicas');
  // Kubernetes documentation, "Implicit maintenance-mode deactivation": with 0 replicas the autoscaler does nothing.
  if (autoscaler && stated !== 0) {
    const least = numberOr(field(autoscaler['spec'], 'minReplicas'), 1);
    const most = numberOr(field(autoscaler['spec'], 'maxReplicas'), least);
    return { least, most, statedBy: `minReplicas of ${nameOf(autoscaler)}` };
  }
  const count = numberOr(stated, 1);
  const statedBy = stated === undefined ? 'the default of Kubernetes' : 'spec.replicas';
  return { least: count, most: count, statedBy };
}

function numberOr(value: unknown, otherwise: number): number {
  return typeof value === 'number' ? value : otherwise;
}

function scales(autoscaler: KubeObject, { kind, metadata }: KubeObject): boolean {
  const target = field(autoscaler['spec'], 'scaleTargetRef');
  return field(target, 'kind') === kind && field(target, 'name') === metadata.name;
}

function servicesIn(objects: readonly KubeObject[]): Service[] {
  return ofKind(objects, 'Service') as Service[];
}

function probesOf({ spec }: PodTemplate): DeclaredProbe[] {
  return allContainers(spec).flatMap(({ container }) =>
    (['startupProbe', 'livenessProbe', 'readinessProbe'] as const).flatMap((name) => {
      const probe = container[name];
      return probe ? [{ container: container.name, name, probe }] : [];
    }),
  );
}

function lifecycleHooksOf({ spec }: PodTemplate): LifecycleHook[] {
  return allContainers(spec).flatMap(({ container }) =>
    (['postStart', 'preStop'] as const)
      .filter((name) => container.lifecycle?.[name] !== undefined)
      .map((name) => ({ container: container.name, name })),
  );
}

function hostPortsOf({ spec }: PodTemplate): number[] {
  return allContainers(spec).flatMap(({ container }) =>
    (container.ports ?? []).flatMap((port) => {
      const hostPort = field(port, 'hostPort');
      // In the network of the node every container port is one of the node.
      if (spec['hostNetwork'] === true) return [port.containerPort];
      return typeof hostPort === 'number' && hostPort > 0 ? [hostPort] : [];
    }),
  );
}
