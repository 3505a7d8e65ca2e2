/**
 * Who plays the roles of the documents in a subject: the server, its container, its Service, its configuration, its claim. The one with the
 * documented name does; a chart that calls it differently is found by what the documents promise beside names.
 */
import { CheckFailure, DoesNotFit } from '../../harness/core/errors.ts';
import type { Container, KubeObject, PodSpec, Service } from '../../harness/kube/api/types.ts';
import { find, nameOf, ofKind } from '../../harness/kube/manifests/objects.ts';
import type { ModelWorkload } from '../../harness/kube/manifests/model/model.ts';
import { playing } from '../../harness/kube/manifests/model/role.ts';
import { lasting, modelOf, namespaceOf } from '../../harness/kube/manifests/model/subject-model.ts';
import type { WorkloadHandle } from '../../harness/observe/matchers/workload-handle.ts';
import type { Lab, RenderOptions } from '../../harness/run/suite/lab.ts';
import type { Release } from '../../harness/run/suite/release.ts';

/** The documented names. */
export const DOCUMENTED = {
  deployment: 'toolman',
  container: 'toolman',
  service: 'toolman',
  configMap: 'toolman-servers-config',
  configVolume: 'config',
  dockerDaemon: 'docker-daemon',
} as const;

/** What the documents promise under any name. */
const PORT = 3000;
const CONFIG_FOLDER = '/config';
const CONFIG_FILE = 'servers-config.json';
const DATA_FOLDER = '/data';
const LIVENESS_PATH = '/health';

/** What was rendered, and in which namespace. */
type Rendered = Pick<Release, 'objects' | 'namespace'>;

/** What shows that a container is the application. A workload with such a container is the server. */
const TRAITS: readonly { says: string; has: (container: Container, pod: PodSpec) => boolean }[] = [
  { says: `serves port ${PORT}`, has: servesPort },
  { says: `mounts a ConfigMap at ${CONFIG_FOLDER}`, has: mountsConfiguration },
  { says: `has a liveness probe of ${LIVENESS_PATH}`, has: isProbed },
];

export interface Server {
  workload: ModelWorkload;
  /** Its object, as rendered. */
  object: KubeObject;
  namespace: string;
  /** The container of the application, as rendered. */
  container: Container;
}

/**
 * The server in what was rendered.
 *
 * @throws DoesNotFit when it cannot be told, with the candidates; NameMissing when there is none
 */
export function serverIn(rendered: Rendered): Server {
  const workload = playing(lasting(modelOf(rendered.objects, rendered)), {
    title: 'the server',
    isDocumented: ({ object: { kind, metadata } }) =>
      kind === 'Deployment' && metadata.name === DOCUMENTED.deployment,
    traits: TRAITS.map(({ says, has }) => ({
      says: `has a container that ${says}`,
      has: ({ template: { spec } }) => spec.containers.some((container) => has(container, spec)),
    })),
    nameOf: ({ title }) => title,
  });
  const { object, template } = workload;
  return {
    workload,
    object,
    namespace: namespaceOf(object, rendered),
    container: applicationIn(template.spec, workload.title),
  };
}

/** The live workload of the server. */
export function serverOf(release: Release): WorkloadHandle {
  return release.workload(serverIn(release).object);
}

function applicationIn(pod: PodSpec, title: string): Container {
  return playing(pod.containers, {
    title: `the application in ${title}`,
    isDocumented: ({ name }) => name === DOCUMENTED.container,
    traits: TRAITS.map(({ says, has }) => ({ says, has: (container) => has(container, pod) })),
    nameOf: ({ name }) => `container ${name}`,
  });
}

function servesPort({ ports = [] }: Container): boolean {
  return ports.some(({ containerPort }) => containerPort === PORT);
}

function mountsConfiguration({ volumeMounts = [] }: Container, { volumes = [] }: PodSpec): boolean {
  return volumeMounts.some(
    ({ name, mountPath }) =>
      folderOf(mountPath) === CONFIG_FOLDER && volumes.some((one) => one.name === name && one.configMap),
  );
}

function isProbed({ livenessProbe }: Container): boolean {
  return livenessProbe?.httpGet?.path === LIVENESS_PATH;
}

/** Whether a container runs a Docker daemon: by its documented name or its image. */
export function runsDocker({ name, image }: Container): boolean {
  return name === DOCUMENTED.dockerDaemon || /(^|\/)docker:([\w.-]+-)?dind\b/.test(image);
}

/**
 * The container of the Docker daemon beside the application.
 *
 * @throws NameMissing when there is no other container; DoesNotFit when it cannot be told
 */
export function dockerDaemonIn({ workload, container }: Server): Container {
  const others = workload.template.spec.containers.filter((one) => one !== container);
  return playing(others, {
    title: `the Docker daemon in ${workload.title}`,
    isDocumented: ({ name }) => name === DOCUMENTED.dockerDaemon,
    traits: [
      { says: 'runs docker:dind', has: runsDocker },
      { says: 'is privileged', has: ({ securityContext }) => securityContext?.['privileged'] === true },
    ],
    nameOf: ({ name }) => `container ${name}`,
  });
}

/** The port of the application, and its name in the container. */
export function portOf({ container: { ports = [], ...container } }: Server): {
  number: number;
  name?: string;
} {
  const declared = ports.find(({ containerPort }) => containerPort === PORT);
  if (declared) return { number: PORT, ...(declared.name !== undefined && { name: declared.name }) };
  const probed = container.readinessProbe?.httpGet?.port;
  const port = ports.find(({ name, containerPort }) => name === probed || containerPort === probed);
  if (!port) return { number: typeof probed === 'number' ? probed : PORT };
  return { number: port.containerPort, ...(port.name !== undefined && { name: port.name }) };
}

/**
 * The rendered Service of the server. One that selects no pod at all may be meant for it.
 *
 * @throws CheckFailure `E_NOT_RENDERED` when there is none; DoesNotFit when it cannot be told
 */
export function serviceOf(rendered: Rendered): Service {
  const server = serverIn(rendered);
  const model = modelOf(rendered.objects, rendered);
  const selecting = model.workloads.find(({ object }) => object === server.object)?.services ?? [];
  const documented = model.otherServices.filter(({ metadata }) => metadata.name === DOCUMENTED.service);
  const candidates = [...selecting, ...documented];
  const all = candidates.length > 0 ? candidates : model.otherServices;
  if (all.length === 0) {
    throw new CheckFailure('E_NOT_RENDERED', `the chart renders no Service for ${nameOf(server.object)}`);
  }
  const { number, name } = portOf(server);
  return playing(all, {
    title: `the Service of ${nameOf(server.object)}`,
    isDocumented: ({ metadata }) => metadata.name === DOCUMENTED.service,
    traits: [
      {
        says: `leads to port ${number} of the pods`,
        has: ({ spec: { ports = [] } }) =>
          ports.some(({ port, targetPort = port }) => targetPort === number || targetPort === name),
      },
      { says: 'has an address of its own', has: ({ spec }) => spec['clusterIP'] !== 'None' },
    ],
    nameOf: (service) => nameOf(service),
  });
}

/** A ConfigMap that the application reads as a file. */
interface Configuration {
  /** Name of the ConfigMap. */
  name: string;
  /** The volume, by which the pod mounts it. */
  volume: string;
  /** Key in the ConfigMap. */
  key: string;
  /** Path in the container. */
  file: string;
}

/**
 * The configuration of the server.
 *
 * @throws CheckFailure `E_NOT_MOUNTED` when it mounts no ConfigMap; DoesNotFit when it cannot be told
 */
export function configurationOf(rendered: Rendered): Configuration {
  const { object, workload, container } = serverIn(rendered);
  const { volumes = [] } = workload.template.spec;
  const mounted = (container.volumeMounts ?? []).flatMap(({ name, mountPath, subPath }) => {
    const configMap = volumes.find((volume) => volume.name === name)?.configMap;
    return configMap ? [{ ...configMap, volume: name, mountPath, subPath }] : [];
  });
  if (mounted.length === 0) {
    const title = `volume ${DOCUMENTED.configVolume} is a ConfigMap volume`;
    throw new CheckFailure('E_NOT_MOUNTED', `${title}: ${nameOf(object)} mounts none in ${container.name}`);
  }
  const used = playing(mounted, {
    title: `the configuration of ${nameOf(object)}`,
    isDocumented: ({ name }) => name === DOCUMENTED.configMap,
    traits: [
      {
        says: `is mounted at ${CONFIG_FOLDER}`,
        has: ({ mountPath }) => folderOf(mountPath) === CONFIG_FOLDER,
      },
      {
        says: `has the file ${CONFIG_FILE}`,
        has: ({ items = [] }) => items.some(({ path }) => path === CONFIG_FILE),
      },
    ],
    nameOf: ({ name }) => `ConfigMap ${name}`,
  });
  const { name, volume, mountPath, subPath, items = [] } = used;
  const item = items.find(({ path }) => path === CONFIG_FILE) ?? items[0];
  const key = subPath ?? item?.key ?? CONFIG_FILE;
  const file = subPath === undefined ? `${mountPath}/${item?.path ?? key}` : mountPath;
  return { name, volume, key: keyOf(items, key), file };
}

/** The key of a file that a subPath names. */
function keyOf(items: readonly { key: string; path: string }[], path: string): string {
  return items.find((item) => item.path === path)?.key ?? path;
}

/** `/config/servers-config.json` -> `/config`: a subPath mounts a single file. */
function folderOf(mountPath: string): string {
  const path = mountPath.replace(/\/+$/, '');
  return path.endsWith(`/${CONFIG_FILE}`) ? path.slice(0, -CONFIG_FILE.length - 1) : path;
}

export interface DataClaim {
  name: string;
  namespace: string;
  /** Where its volume is, or should be, in the container. */
  folder: string;
  /** Absent for a claim that exists already. */
  object: KubeObject | undefined;
}

/**
 * The claim for the data of the server. One that no pod mounts may be meant for it.
 *
 * @returns `undefined` when there is none
 * @throws DoesNotFit when it cannot be told
 */
export function claimIn(rendered: Rendered): DataClaim | undefined {
  const { object, workload, container, namespace } = serverIn(rendered);
  const { volumes = [] } = workload.template.spec;
  const mounted = (container.volumeMounts ?? []).flatMap(({ name, mountPath }) => {
    const claim = volumes.find((volume) => volume.name === name)?.persistentVolumeClaim;
    return claim ? [{ name: claim.claimName, folder: mountPath.replace(/\/+$/, '') }] : [];
  });
  const { workloads } = modelOf(rendered.objects, rendered);
  const used = new Set(workloads.flatMap(({ claims }) => claims.map(({ name }) => name)));
  const unused = ofKind(rendered.objects, 'PersistentVolumeClaim')
    .filter(({ metadata }) => !used.has(metadata.name))
    .map(({ metadata: { name } }) => ({ name, folder: DATA_FOLDER }));
  const candidates = mounted.length > 0 ? mounted : unused;
  if (candidates.length === 0) return undefined;
  const claim = playing(candidates, {
    title: `the claim of ${nameOf(object)}`,
    isDocumented: ({ folder }) => mounted.length > 0 && folder === DATA_FOLDER,
    traits: [],
    nameOf: ({ name }) => `PersistentVolumeClaim ${name}`,
  });
  return { ...claim, namespace, object: find(rendered.objects, 'PersistentVolumeClaim', claim.name) };
}

/** As `claimIn`. @throws CheckFailure `E_NOT_RENDERED` when there is none */
export function claimOf(rendered: Rendered): DataClaim {
  const claim = claimIn(rendered);
  if (claim) return claim;
  throw new CheckFailure(
    'E_NOT_RENDERED',
    `the chart renders no PersistentVolumeClaim for ${nameOf(serverIn(rendered).object)}`,
  );
}

/** Names of variables that hold credentials. */
const CREDENTIAL = /(TOKEN|SECRET|PASSWORD|PASSWD|API_?KEY|CREDENTIALS?)$/i;

/** Names of the variables for credentials: by the name itself, or because a Secret has the value. @throws DoesNotFit without one */
export function credentialsOf(
  { env = [] }: Pick<Container, 'env'>,
  { title }: Pick<ModelWorkload, 'title'>,
): string[] {
  const names = env
    .filter(({ name, valueFrom }) => CREDENTIAL.test(name) || valueFrom?.['secretKeyRef'] !== undefined)
    .map(({ name }) => name);
  if (names.length === 0) throw new DoesNotFit(`${title} has no variable for a credential`);
  return names;
}

/** Size and class that a claim asks for, as rendered. */
export function storageOf(claim: Pick<DataClaim, 'object'> | undefined): {
  size: string | undefined;
  storageClass: string | undefined;
} {
  const spec = claim?.object?.['spec'] as
    { storageClassName?: string; resources?: { requests?: { storage?: string } } } | undefined;
  return { size: spec?.resources?.requests?.storage, storageClass: spec?.storageClassName };
}

/** The PodDisruptionBudget of the server. @throws CheckFailure `E_NOT_RENDERED` when there is none; DoesNotFit when there are several */
export function budgetOf(rendered: Rendered): KubeObject {
  const { workload } = serverIn(rendered);
  if (workload.budgets.length === 0)
    throw new CheckFailure(
      'E_NOT_RENDERED',
      `the chart renders no PodDisruptionBudget for ${workload.title}`,
    );
  return playing(workload.budgets, {
    title: `the disruption budget of ${workload.title}`,
    isDocumented: ({ metadata }) => metadata.name === DOCUMENTED.deployment,
    traits: [],
    nameOf,
  });
}

/** The server in what the subject renders before a check installs it, by default without changes of the check. */
export async function renderedServer(
  lab: Lab,
  options?: RenderOptions,
): Promise<Server & { rendered: Rendered }> {
  const rendered = options
    ? { objects: (await lab.render(options)).objects, namespace: lab.source(options).namespace }
    : await lab.subject();
  return { ...serverIn(rendered), rendered };
}

/** @throws DoesNotFit when an autoscaler decides on the replicas of the server */
export function needOwnReplicas({ title, autoscaler }: ModelWorkload): void {
  if (!autoscaler) return;
  throw new DoesNotFit(`${nameOf(autoscaler)} decides on the number of replicas of ${title}`);
}
