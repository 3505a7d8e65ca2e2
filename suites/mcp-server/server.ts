/** The server of a release, found by what it is: the workload that runs without an end and to which a Service leads. No name counts. */
import { CheckFailure, DoesNotFit } from '../../harness/core/errors.ts';
import type { ExecResult } from '../../harness/kube/api/client.ts';
import type { Container, KubeObject, Pod, Service } from '../../harness/kube/api/types.ts';
import type { ModelWorkload } from '../../harness/kube/manifests/model/model.ts';
import { lasting, modelOf } from '../../harness/kube/manifests/model/subject-model.ts';
import type { WorkloadHandle } from '../../harness/observe/matchers/workload-handle.ts';
import type { Lab, RenderOptions } from '../../harness/run/suite/lab.ts';
import type { Release } from '../../harness/run/suite/release.ts';

/** For rendering without an install. */
export const NAMESPACE = 'default';

/** Path of the endpoint in the documents of the servers. */
export const MCP_PATH = '/mcp';

export interface Server {
  model: ModelWorkload;
  /** The container that serves: the one with the port that a Service leads to, otherwise the first one. */
  container: Container;
}

/**
 * The server among rendered objects.
 *
 * @throws DoesNotFit when there is none, or more than one workload could be it
 */
export function serverIn(objects: readonly KubeObject[], release = { namespace: NAMESPACE }): Server {
  const candidates = lasting(modelOf(objects, release));
  const served = candidates.filter(({ services }) => services.length > 0);
  const [model, ...others] = served.length > 0 ? served : candidates;
  if (!model) throw new DoesNotFit('the chart renders no workload whose pods run without an end');
  if (others.length > 0) {
    const titles = [model, ...others].map(({ title }) => title).join(', ');
    throw new DoesNotFit(`the server may be any of ${titles}`);
  }
  const { containers } = model.template.spec;
  const names = model.services.flatMap(({ spec }) =>
    (spec.ports ?? []).map((port) => port.targetPort ?? port.port),
  );
  const container =
    containers.find(({ ports = [] }) =>
      ports.some(
        ({ name, containerPort }) =>
          names.includes(containerPort) || (name !== undefined && names.includes(name)),
      ),
    ) ?? containers[0];
  if (!container) throw new CheckFailure('E_SELECTED_NOTHING', `${model.title} has no container`);
  return { model, container };
}

export function serverOf(release: Release): Server {
  return serverIn(release.objects, release);
}

/**
 * What the documents promise for servers of MCP is no promise of other charts.
 *
 * @throws DoesNotFit when neither the pods (image, command, variables, ports, labels) nor their Services say `mcp`
 */
export function needMcp({ template, services, title }: ModelWorkload): void {
  if (!/mcp|model context protocol/i.test(JSON.stringify([template, services])))
    throw new DoesNotFit(`nothing of ${title} and its Services says that it serves MCP`);
}

/** The subject rendered with options, and the server in it. */
export async function renderServer(
  lab: Lab,
  options: RenderOptions = {},
): Promise<Server & { objects: KubeObject[] }> {
  const namespace = options.namespace ?? NAMESPACE;
  const { objects } = await lab.render({ ...options, namespace });
  return { ...serverIn(objects, { namespace }), objects };
}

/** The handle of the server. */
export function handleOf(release: Release): WorkloadHandle {
  const { object } = serverOf(release).model;
  const handle = release
    .workloads()
    .find(({ kind, name }) => kind === object.kind && name === object.metadata.name);
  if (handle) return handle;
  throw new DoesNotFit(`${object.kind} ${object.metadata.name} is no Deployment, StatefulSet or DaemonSet`);
}

/** Its pods; none is a failure. */
export async function serverPods(release: Release): Promise<Pod[]> {
  const handle = handleOf(release);
  const pods = await handle.pods();
  if (pods.length > 0) return pods;
  throw new CheckFailure('E_SELECTED_NOTHING', `${handle.kind} ${handle.name} has no pods`);
}

/**
 * The Service that leads to the server.
 *
 * @throws DoesNotFit when there is none, or more than one
 */
export function serviceOf(release: Release): Service {
  return onlyService(serverOf(release).model);
}

/** That of a StatefulSet has a headless one beside it, for the names of its pods. */
export function onlyService({ services, title }: ModelWorkload): Service {
  const withAddress = services.filter(({ spec }) => spec.clusterIP !== 'None');
  const [service, ...others] = withAddress.length > 0 ? withAddress : services;
  if (!service) throw new DoesNotFit(`no Service leads to ${title}`);
  if (others.length > 0) throw new DoesNotFit(`${others.length + 1} Services lead to ${title}`);
  return service;
}

/** The port of a Service that clients use: the one with the name of the protocol, otherwise the first one. */
export function portOf({ metadata, spec }: Service): NonNullable<Service['spec']['ports']>[number] {
  const ports = spec.ports ?? [];
  const port = ports.find(({ name = '' }) => ['mcp', 'http', 'web'].includes(name)) ?? ports[0];
  if (port) return port;
  throw new CheckFailure('E_SELECTED_NOTHING', `Service ${metadata.name} has no port`);
}

/** The name of the Service in the cluster's DNS, in its long form. */
export function hostOf({ metadata }: Service, { namespace }: { namespace: string }): string {
  return `${metadata.name}.${namespace}.svc.cluster.local`;
}

/** The endpoint of the server, as a client in the cluster uses it. */
export function urlOf(release: Release): string {
  const service = serviceOf(release);
  return `http://${hostOf(service, release)}:${portOf(service).port}${MCP_PATH}`;
}

/**
 * The variables of a container.
 *
 * @throws DoesNotFit when the chart has made something else of them: it takes another form of values
 */
export function variablesOf({ name, env }: Container): NonNullable<Container['env']> {
  if (env === undefined || Array.isArray(env)) return env ?? [];
  throw new DoesNotFit(
    `the variables of container ${name} are no list: the chart takes them in another form`,
  );
}

/** The port of the container to which the Service leads; `undefined` when it is none of its named ports. */
export function targetOf(service: Service, { ports = [] }: Container): number | undefined {
  const { port, targetPort = port } = portOf(service);
  return numberOf(targetPort, ports);
}

function numberOf(port: number | string, ports: NonNullable<Container['ports']>): number | undefined {
  return typeof port === 'number' ? port : ports.find(({ name }) => name === port)?.containerPort;
}

/**
 * The path that an HTTP probe asks at the port to which the Service leads, where the documents name `/health`; `undefined` when there is
 * none without TLS.
 */
export function healthPathOf(service: Service, container: Container): string | undefined {
  const target = targetOf(service, container);
  const found = [container.readinessProbe?.httpGet, container.livenessProbe?.httpGet].find(
    (probe) =>
      probe &&
      (probe.scheme ?? 'HTTP') === 'HTTP' &&
      target !== undefined &&
      numberOf(probe.port, container.ports ?? []) === target,
  );
  return found && (found.path ?? '/');
}

/** The environment of the server's process in a pod. */
export async function environmentOf(release: Release, pod: Pod): Promise<Map<string, string>> {
  const { container } = serverOf(release);
  const { exitCode, stdout, stderr }: ExecResult = await release.exec(pod, ['env'], container.name);
  if (exitCode !== 0) throw new DoesNotFit(`env does not run in ${pod.metadata.name}: ${stderr.trim()}`);
  return new Map(
    stdout.split('\n').map((line) => [line.split('=')[0] ?? '', line.slice(line.indexOf('=') + 1)]),
  );
}
