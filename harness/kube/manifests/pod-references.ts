/** References of a pod: to objects, keys, and its own volumes and ports. */
import type { Container, KubeObject, PodSpec, Probe } from '../api/types.ts';
import { allContainers, field, nameOf, podTemplateOf } from './objects.ts';
import type { ObjectReference, ReferencedKind, References } from './reference.ts';

export function podReferences(object: KubeObject): References {
  const found: References = { toFollow: [], problems: [], checked: 0 };
  const template = podTemplateOf(object);
  if (!template) return found;
  const { spec, path } = template;
  const refer: Refer = (at, kind, name, options = {}) => {
    if (typeof name === 'string')
      found.toFollow.push({ object, path: `${path}${at}`, kind, name, ...options });
  };
  const require: Require = (at, refers, why) => {
    found.checked += 1;
    if (why !== undefined) found.problems.push({ object: nameOf(object), path: `${path}${at}`, refers, why });
  };
  podFields(spec, refer);
  volumeSources(spec, refer);
  for (const { container, path: at } of allContainers(spec)) {
    environment(container, at, refer);
    namedPorts(container, at, require);
  }
  mounts(spec, claimTemplates(object), require);
  return found;
}

type Refer = (
  path: string,
  kind: ReferencedKind,
  name: unknown,
  options?: Pick<ObjectReference, 'keys' | 'optional'>,
) => void;

/** Counts a checked reference; `why` is the problem, if any. */
type Require = (path: string, refers: string, why: string | undefined) => void;

function podFields(spec: PodSpec, refer: Refer): void {
  refer('/serviceAccountName', 'ServiceAccount', spec.serviceAccountName);
  refer('/runtimeClassName', 'RuntimeClass', spec.runtimeClassName);
  // Every cluster has the two system classes.
  if (!/^system-(cluster|node)-critical$/.test(spec.priorityClassName ?? '')) {
    refer('/priorityClassName', 'PriorityClass', spec.priorityClassName);
  }
  for (const [index, secret] of (spec.imagePullSecrets ?? []).entries()) {
    refer(`/imagePullSecrets/${index}/name`, 'Secret', secret.name);
  }
}

interface KeyedSource {
  name?: unknown;
  secretName?: unknown;
  optional?: boolean;
  items?: { key: string }[];
}

function volumeSources(spec: PodSpec, refer: Refer): void {
  const keyed = (
    at: string,
    kind: 'ConfigMap' | 'Secret',
    source: KeyedSource | undefined,
    name: 'name' | 'secretName',
  ): void => {
    if (!source) return;
    refer(`${at}/${name}`, kind, source[name] ?? '', {
      keys: (source.items ?? []).map((item) => item.key),
      optional: source.optional === true,
    });
  };
  for (const [index, volume] of (spec.volumes ?? []).entries()) {
    const at = `/volumes/${index}`;
    keyed(`${at}/configMap`, 'ConfigMap', volume.configMap, 'name');
    keyed(`${at}/secret`, 'Secret', volume.secret, 'secretName');
    refer(
      `${at}/persistentVolumeClaim/claimName`,
      'PersistentVolumeClaim',
      volume.persistentVolumeClaim?.claimName,
    );
    for (const [source, projection] of (volume.projected?.sources ?? []).entries()) {
      keyed(
        `${at}/projected/sources/${source}/configMap`,
        'ConfigMap',
        projection['configMap'] as KeyedSource | undefined,
        'name',
      );
      keyed(
        `${at}/projected/sources/${source}/secret`,
        'Secret',
        projection['secret'] as KeyedSource | undefined,
        'name',
      );
    }
    const claim = field(field(volume['ephemeral'], 'volumeClaimTemplate'), 'spec');
    const storageClass = field(claim, 'storageClassName');
    if (storageClass !== '')
      refer(`${at}/ephemeral/volumeClaimTemplate/spec/storageClassName`, 'StorageClass', storageClass);
  }
}

function environment(container: Container, at: string, refer: Refer): void {
  for (const [index, { valueFrom }] of (container.env ?? []).entries()) {
    for (const [field, kind] of [
      ['configMapKeyRef', 'ConfigMap'],
      ['secretKeyRef', 'Secret'],
    ] as const) {
      const source = valueFrom?.[field];
      if (!source) continue;
      refer(`${at}/env/${index}/valueFrom/${field}`, kind, source.name ?? '', {
        keys: source.key === undefined ? [] : [source.key],
        optional: source.optional === true,
      });
    }
  }
  for (const [index, { configMapRef, secretRef }] of (container.envFrom ?? []).entries()) {
    if (configMapRef) {
      refer(`${at}/envFrom/${index}/configMapRef`, 'ConfigMap', configMapRef.name, {
        optional: configMapRef.optional === true,
      });
    }
    if (secretRef) {
      refer(`${at}/envFrom/${index}/secretRef`, 'Secret', secretRef.name, {
        optional: secretRef.optional === true,
      });
    }
  }
}

function namedPorts(container: Container, at: string, require: Require): void {
  const names = (container.ports ?? []).flatMap((port) => (port.name === undefined ? [] : [port.name]));
  const check = (path: string, handler: Probe | undefined): void => {
    for (const action of ['httpGet', 'tcpSocket'] as const) {
      const port = handler?.[action]?.port;
      if (typeof port !== 'string' || /^\d+$/.test(port)) continue;
      const why = names.includes(port)
        ? undefined
        : `container ${container.name} has no port named ${port}; it has ${names.join(', ') || 'no named port'}`;
      require(`${at}/${path}/${action}/port`, `port ${port}`, why);
    }
  };
  for (const probe of ['livenessProbe', 'readinessProbe', 'startupProbe'] as const)
    check(probe, container[probe]);
  for (const hook of ['preStop', 'postStart'])
    check(`lifecycle/${hook}`, container.lifecycle?.[hook] as Probe | undefined);
}

/** Every mount needs a volume, and every volume a mount: an unmounted volume usually means a forgotten mount. */
function mounts(spec: PodSpec, claimTemplates: readonly string[], require: Require): void {
  const volumes = [...(spec.volumes ?? []).map((volume) => volume.name), ...claimTemplates];
  const mounted = new Set<string>();
  for (const { container, path } of allContainers(spec)) {
    const devices = (container['volumeDevices'] ?? []) as { name: string }[];
    const uses = [
      ...(container.volumeMounts ?? []).map(({ name }, i) => ({
        name,
        at: `${path}/volumeMounts/${i}/name`,
      })),
      ...devices.map(({ name }, i) => ({ name, at: `${path}/volumeDevices/${i}/name` })),
    ];
    for (const { name, at } of uses) {
      mounted.add(name);
      const why = volumes.includes(name)
        ? undefined
        : `container ${container.name} mounts volume ${name}, which the pod does not have; it has ${volumes.join(', ') || 'none'}`;
      require(at, `volume ${name}`, why);
    }
  }
  for (const [index, name] of volumes.entries()) {
    const at = index < (spec.volumes?.length ?? 0) ? `/volumes/${index}` : '';
    require(at, `volume ${name}`, mounted.has(name) ? undefined : `no container mounts volume ${name}`);
  }
}

function claimTemplates(object: KubeObject): string[] {
  const templates = field(field(object, 'spec'), 'volumeClaimTemplates');
  return Array.isArray(templates) ? templates.map((template: KubeObject) => template.metadata.name) : [];
}
