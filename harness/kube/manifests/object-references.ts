/** References of objects other than pods: pods by label, ports by name, scale targets, classes, roles. */
import type { KubeObject, LabelSelector, Service } from '../api/types.ts';
import { matchesLabels, matchesSelector, selectorText } from '../api/selectors.ts';
import { allContainers, field, find, nameOf, ofKind, podTemplateOf, workloads } from './objects.ts';
import type { ReferencedKind, References } from './reference.ts';

/** @param system the rendered objects that selectors can match, without test pods */
export function objectReferences(object: KubeObject, system: readonly KubeObject[]): References {
  const found: References = { toFollow: [], problems: [], checked: 0 };
  const scope: Scope = {
    object,
    system,
    refer: (path, kind, name) => {
      if (typeof name === 'string' && name !== '') found.toFollow.push({ object, path, kind, name });
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
  refer: (path: string, kind: ReferencedKind, name: unknown) => void;
  require: (path: string, refers: string, why: string | undefined) => void;
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

function service({ object, system, require }: Scope): void {
  const { spec } = object as Service;
  const selector = spec.selector ?? {};
  if (Object.keys(selector).length === 0 || spec.type === 'ExternalName') return;
  const selected = workloads(system).filter((workload) =>
    matchesLabels(selector, podTemplateOf(workload)?.metadata.labels),
  );
  const refers = `pods with ${selectorText({ matchLabels: selector })}`;
  require('/spec/selector', refers, selected.length > 0
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

function autoscaler({ object, system, require }: Scope): void {
  const target = field(object['spec'], 'scaleTargetRef');
  const kind = String(field(target, 'kind'));
  const name = String(field(target, 'name'));
  const why = find(system, kind, name) ? undefined : `it scales ${kind} ${name}, which is not rendered`;
  require('/spec/scaleTargetRef', `${kind} ${name}`, why);
}

function podSelector({ system, require }: Scope, path: string, selector: unknown): void {
  if (typeof selector !== 'object' || selector === null) return;
  const matches = workloads(system).some((workload) =>
    matchesSelector(selector, podTemplateOf(workload)?.metadata.labels),
  );
  const text = selectorText(selector);
  require(path, `pods with ${text}`, matches ? undefined : `the selector matches no rendered pod: ${text}`);
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
  // A ClusterRole may be built in (view, edit).
  if (kind === 'Role')
    require('/roleRef', `Role ${name}`, find(system, kind, name)
      ? undefined
      : `Role ${name} is not rendered`);
  for (const [index, subject] of list(object['subjects']).entries()) {
    if (field(subject, 'kind') === 'ServiceAccount')
      refer(`/subjects/${index}`, 'ServiceAccount', field(subject, 'name'));
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
