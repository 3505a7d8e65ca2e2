/** References of objects other than pods: pods by label, ports by name, scale targets, classes, roles. */
import type { KubeObject, LabelSelector, Service } from '../api/types.ts';
import { isCoreApi } from './core-api.ts';
import { matchesLabels, matchesSelector, selectorText } from '../api/selectors.ts';
import { allContainers, field, find, nameOf, ofKind, podTemplateOf, workloads } from './objects.ts';
import type { ReferencedKind, References } from './reference.ts';

/** @param system the rendered objects that selectors can match, without test pods */
export function objectReferences(object: KubeObject, system: readonly KubeObject[]): References {
  const found: References = { toFollow: [], problems: [], checked: 0 };
  const scope: Scope = {
    object,
    system,
    mayHaveMore: makesObjects(system),
    refer: (path, kind, name, namespace) => {
      if (typeof name !== 'string' || name === '') return;
      found.toFollow.push({ object, path, kind, name, ...(typeof namespace === 'string' && { namespace }) });
    },
    require: (path, refers, why) => {
      found.checked += 1;
      if (why !== undefined) found.problems.push({ object: nameOf(object), path, refers, why });
    },
  };
  COLLECTORS[object.kind]?.(scope);
  return found;
}

interface Scope {
  object: KubeObject;
  system: readonly KubeObject[];
  /** Whether there may be objects that are not rendered. */
  mayHaveMore: boolean;
  refer: (path: string, kind: ReferencedKind, name: unknown, namespace?: unknown) => void;
  require: (path: string, refers: string, why: string | undefined) => void;
}

/** Labels that controllers put on pods, whatever the template says. */
const BY_CONTROLLERS: ReadonlySet<string> = new Set([
  'statefulset.kubernetes.io/pod-name',
  'apps.kubernetes.io/pod-index',
  'controller-revision-hash',
  'pod-template-hash',
  'job-name',
  'controller-uid',
  'batch.kubernetes.io/job-name',
  'batch.kubernetes.io/controller-uid',
  'batch.kubernetes.io/job-completion-index',
]);

/** Kinds of operators that create no pods and no Services. */
const PASSIVE: ReadonlySet<string> = new Set([
  'ServiceMonitor',
  'PodMonitor',
  'PrometheusRule',
  'Certificate',
  'Issuer',
  'ClusterIssuer',
  'ExternalSecret',
  'SealedSecret',
  'VirtualService',
  'DestinationRule',
  'IngressRoute',
]);

/**
 * Whether something of these objects may create pods, workloads or Services that are not rendered: an operator for a custom resource, or a
 * program that has the right to create them.
 */
export function makesObjects(objects: readonly KubeObject[]): boolean {
  return objects.some(
    (object) =>
      (!isCoreApi(object.apiVersion) && !PASSIVE.has(object.kind)) ||
      (/^(Cluster)?Role$/.test(object.kind) && maySpawn(object)),
  );
}

function maySpawn(role: KubeObject): boolean {
  const has = (rule: unknown, key: string, ...wanted: string[]): boolean =>
    list(field(rule, key)).some((one) => one === '*' || wanted.includes(String(one)));
  return list(role['rules']).some(
    (rule) =>
      has(rule, 'verbs', 'create') &&
      has(rule, 'resources', 'pods', 'jobs', 'deployments', 'statefulsets', 'daemonsets', 'replicasets'),
  );
}

const COLLECTORS: Readonly<Record<string, (scope: Scope) => void>> = {
  Service: service,
  StatefulSet: statefulSet,
  PersistentVolumeClaim: ({ object, refer }) => {
    refer('/spec/storageClassName', 'StorageClass', field(object['spec'], 'storageClassName'));
  },
  HorizontalPodAutoscaler: autoscaler,
  PodDisruptionBudget: (scope) => {
    podSelector(scope, '/spec/selector', field(scope.object['spec'], 'selector'));
  },
  NetworkPolicy: (scope) => {
    podSelector(scope, '/spec/podSelector', field(scope.object['spec'], 'podSelector'));
  },
  ServiceMonitor: serviceMonitor,
  Ingress: ingress,
  RoleBinding: roleBinding,
  ClusterRoleBinding: roleBinding,
  ServiceAccount: ({ object, refer }) => {
    for (const key of ['secrets', 'imagePullSecrets']) {
      for (const [index, secret] of list(object[key]).entries())
        refer(`/${key}/${index}/name`, 'Secret', field(secret, 'name'));
    }
  },
};

function service({ object, system, mayHaveMore, require }: Scope): void {
  const { spec } = object as Service;
  const selector = spec.selector ?? {};
  if (Object.keys(selector).length === 0 || spec.type === 'ExternalName') return;
  const rendered = Object.fromEntries(Object.entries(selector).filter(([key]) => !BY_CONTROLLERS.has(key)));
  const selected = workloads(system).filter(
    (workload) =>
      Object.keys(rendered).length > 0 && matchesLabels(rendered, podTemplateOf(workload)?.metadata.labels),
  );
  const isOpen = mayHaveMore || Object.keys(rendered).length === 0;
  const refers = `pods with ${selectorText({ matchLabels: selector })}`;
  require('/spec/selector', refers, selected.length > 0 || isOpen
    ? undefined
    : `the selector matches no rendered pod: ${refers}`);
  for (const [index, { targetPort }] of (spec.ports ?? []).entries()) {
    if (typeof targetPort !== 'string' || /^\d+$/.test(targetPort)) continue;
    // Endpoints are built per pod, so every selected workload needs the port name.
    const lacking = selected.filter((workload) => !portNames(workload).includes(targetPort));
    const why = lacking.map(
      (w) =>
        `${nameOf(w)} has no port named ${targetPort}; it has ${portNames(w).join(', ') || 'no named port'}`,
    );
    require(`/spec/ports/${index}/targetPort`, `port ${targetPort}`, why[0]);
  }
}

function statefulSet({ object, refer }: Scope): void {
  refer('/spec/serviceName', 'Service', field(object['spec'], 'serviceName'));
  for (const [index, template] of list(field(object['spec'], 'volumeClaimTemplates')).entries()) {
    refer(
      `/spec/volumeClaimTemplates/${index}/spec/storageClassName`,
      'StorageClass',
      field(field(template, 'spec'), 'storageClassName'),
    );
  }
}

function autoscaler({ object, system, mayHaveMore, require }: Scope): void {
  const target = field(object['spec'], 'scaleTargetRef');
  const kind = String(field(target, 'kind'));
  const name = String(field(target, 'name'));
  const why =
    find(system, kind, name) || mayHaveMore ? undefined : `it scales ${kind} ${name}, which is not rendered`;
  require('/spec/scaleTargetRef', `${kind} ${name}`, why);
}

function podSelector({ system, mayHaveMore, require }: Scope, path: string, selector: unknown): void {
  if (typeof selector !== 'object' || selector === null) return;
  const isOpen = mayHaveMore || keysOf(selector).some((key) => BY_CONTROLLERS.has(key));
  const matches =
    isOpen ||
    workloads(system).some((workload) => matchesSelector(selector, podTemplateOf(workload)?.metadata.labels));
  const text = selectorText(selector);
  require(path, `pods with ${text}`, matches ? undefined : `the selector matches no rendered pod: ${text}`);
}

function keysOf({ matchLabels = {}, matchExpressions = [] }: LabelSelector): string[] {
  return [...Object.keys(matchLabels), ...matchExpressions.map(({ key }) => key)];
}

function serviceMonitor({ object, system, require }: Scope): void {
  const selector = field(object['spec'], 'selector') as LabelSelector | undefined;
  const services = ofKind(system, 'Service').filter((s) =>
    matchesSelector(selector, s.metadata.labels),
  ) as Service[];
  const text = selectorText(selector);
  require('/spec/selector', `Services with ${text}`, services.length > 0
    ? undefined
    : `the selector matches no rendered Service: ${text}`);
  const ports = services.flatMap((s) => (s.spec.ports ?? []).map((port) => port.name));
  for (const [index, endpoint] of list(field(object['spec'], 'endpoints')).entries()) {
    const port = field(endpoint, 'port');
    if (typeof port !== 'string') continue;
    const why = ports.includes(port)
      ? undefined
      : `the selected Service has no port named ${port}; it has ${ports.join(', ') || 'none'}`;
    require(`/spec/endpoints/${index}/port`, `port ${port}`, why);
  }
}

function ingress({ object, refer }: Scope): void {
  refer(
    '/spec/defaultBackend/service/name',
    'Service',
    field(field(field(object['spec'], 'defaultBackend'), 'service'), 'name'),
  );
  for (const [rule, { http }] of (list(field(object['spec'], 'rules')) as { http?: unknown }[]).entries()) {
    for (const [path, { backend }] of (list(field(http, 'paths')) as { backend?: unknown }[]).entries()) {
      refer(
        `/spec/rules/${rule}/http/paths/${path}/backend/service/name`,
        'Service',
        field(field(backend, 'service'), 'name'),
      );
    }
  }
}

function roleBinding({ object, system, refer, require }: Scope): void {
  const roleRef = object['roleRef'];
  const [kind, name] = [String(field(roleRef, 'kind')), String(field(roleRef, 'name'))];
  // A ClusterRole may be built in (view, edit), and so may a Role of kube-system. No object of the system has one of a test.
  if (kind === 'Role' && (find(system, kind, name) || object.metadata.namespace === undefined))
    require('/roleRef', `Role ${name}`, find(system, kind, name)
      ? undefined
      : `Role ${name} is not rendered`);
  else if (kind === 'Role') refer('/roleRef', 'Role', name);
  for (const [index, subject] of list(object['subjects']).entries()) {
    if (field(subject, 'kind') === 'ServiceAccount')
      refer(`/subjects/${index}`, 'ServiceAccount', field(subject, 'name'), field(subject, 'namespace'));
  }
}

function portNames(workload: KubeObject): string[] {
  const spec = podTemplateOf(workload)?.spec;
  if (!spec) return [];
  return allContainers(spec).flatMap(({ container }) =>
    (container.ports ?? []).flatMap((p) => (p.name === undefined ? [] : [p.name])),
  );
}

function list(value: unknown): unknown[] {
  return Array.isArray(value) ? value : [];
}
