/** Which objects and containers of a subject play the parts of the documents, whatever they are called. */
import { NameMissing } from '../../harness/core/errors.ts';
import type { Container, KubeObject, Pod, Service } from '../../harness/kube/api/types.ts';
import { allContainers, nameOf } from '../../harness/kube/manifests/objects.ts';
import type { ModelWorkload } from '../../harness/kube/manifests/model/model.ts';
import { playing } from '../../harness/kube/manifests/model/role.ts';
import { settingsLike } from '../../harness/kube/manifests/model/settings.ts';
import { lasting, modelOf } from '../../harness/kube/manifests/model/subject-model.ts';
import type { WorkloadHandle } from '../../harness/observe/matchers/workload-handle.ts';
import type { Lab } from '../../harness/run/suite/lab.ts';
import type { Release } from '../../harness/run/suite/release.ts';
import { API, DEPLOYMENT, MIGRATIONS, SERVICE, SETTINGS } from './names.ts';

export interface RegistryRoles {
  /** The Deployment of the API server. */
  deployment: KubeObject;
  /** The container of its template that serves, and its port. */
  server: Container;
  port: number;
  migrations: {
    /** The container that migrates. */
    container: Container;
    /** `false`: it is the server, whose command migrates before it serves. */
    isSeparate: boolean;
  };
  /** Deployments that use the database too, and that no Service leads to. */
  workers: readonly KubeObject[];
}

/** Rendered objects, and the namespace of their release. */
type Rendered = Pick<Release, 'objects' | 'namespace'>;

/**
 * A documented name decides; without it, the references between the objects.
 *
 * @throws NameMissing when nothing plays the part; DoesNotFit when it cannot be told
 */
export function rolesOf(rendered: Rendered): RegistryRoles {
  const deployments = lasting(modelOf(rendered.objects, rendered)).filter(
    ({ object }) => object.kind === 'Deployment',
  );
  const workload = serverIn(deployments, rendered);
  const { object: deployment, template } = workload;
  const { containers, initContainers = [] } = template.spec;
  const port = targetPort(workload);
  const server =
    containers.find(({ name }) => name === API) ??
    containers.find(({ ports }) => ports?.some(({ containerPort }) => containerPort === port)) ??
    containers.find((container) => usesDatabase(container, rendered)) ??
    containers[0];
  if (!server) throw new NameMissing(`${nameOf(deployment)} has no container ${API}`);
  const before = initContainers.filter(({ restartPolicy }) => restartPolicy !== 'Always');
  const separate =
    [...before, ...containers].find(({ name }) => name === MIGRATIONS) ??
    before.find((container) => usesDatabase(container, rendered) || migrates(container));
  return {
    deployment,
    server,
    port: port ?? server.ports?.[0]?.containerPort ?? 8000,
    migrations: { container: separate ?? server, isSeparate: separate !== undefined },
    workers: deployments
      .filter((one) => one !== workload && one.services.length === 0)
      .filter((one) => allContainers(one.template.spec).some((c) => usesDatabase(c.container, rendered)))
      .map(({ object }) => object),
  };
}

/** As the subject renders by itself, for checks that need nothing installed. */
export async function renderedRoles(lab: Pick<Lab, 'render'>): Promise<RegistryRoles> {
  const namespace = 'default';
  const { objects } = await lab.render({ namespace });
  return rolesOf({ objects, namespace });
}

/** The live Deployment of the API server. */
export function serverOf(release: Release): WorkloadHandle {
  return release.deployment(rolesOf(release).deployment.metadata.name);
}

/** Its pods, without those of other workloads. */
export function serverPods(release: Release): Promise<Pod[]> {
  return serverOf(release).pods();
}

/** Its first pod. */
export function serverPod(release: Release): Promise<Pod> {
  return release.pod(serverOf(release));
}

/** The Service for clients. @throws NameMissing when none leads to the server */
export function serviceOf(rendered: Rendered): Service {
  const { objects } = rendered;
  const named = objects.find((o) => o.kind === 'Service' && o.metadata.name === SERVICE);
  if (named) return named as Service;
  const { deployment } = rolesOf(rendered);
  const { services } = modelOf(objects, rendered).workloads.find(({ object }) => object === deployment) ?? {};
  const service = services?.find(({ spec }) => spec.clusterIP !== 'None') ?? services?.[0];
  if (service) return service;
  throw new NameMissing(
    `the manifests have no Service ${SERVICE}, and none that leads to ${nameOf(deployment)}`,
  );
}

/** Services that do not lead to pods of other workloads only. */
export function servicesOf(rendered: Rendered): Service[] {
  const { deployment } = rolesOf(rendered);
  const { workloads, otherServices } = modelOf(rendered.objects, rendered);
  const { services = [] } = workloads.find(({ object }) => object === deployment) ?? {};
  return [...services, ...otherServices];
}

/** Deletes the pods of the server and returns the first of the new ones once all are ready. */
export async function replaceServerPods(lab: Pick<Lab, 'replacePods'>, release: Release): Promise<Pod> {
  await lab.replacePods(release, await serverPods(release));
  return serverPod(release);
}

function serverIn(deployments: readonly ModelWorkload[], rendered: Rendered): ModelWorkload {
  const isDocumented = ({ object }: ModelWorkload): boolean => object.metadata.name === DEPLOYMENT;
  return playing(
    deployments.filter((one) => isDocumented(one) || one.services.length > 0),
    {
      title: 'the API server, a Deployment with a Service',
      isDocumented,
      traits: [
        {
          says: 'reads the address of the database',
          has: ({ template }) =>
            template.spec.containers.some((container) => usesDatabase(container, rendered)),
        },
      ],
      nameOf: ({ title }) => title,
    },
  );
}

/** The container port that a Service leads to. */
function targetPort({ services, template }: ModelWorkload): number | undefined {
  const ports = template.spec.containers.flatMap((container) => container.ports ?? []);
  const preferred = services.toSorted((a, b) => rank(a) - rank(b));
  for (const { port, targetPort: target = port } of preferred.flatMap(({ spec }) => spec.ports ?? [])) {
    if (typeof target === 'number') return target;
    const named = ports.find(({ name }) => name === target);
    if (named) return named.containerPort;
  }
  return undefined;
}

/** The documented Service first, headless ones last. */
function rank({ metadata, spec }: Service): number {
  if (metadata.name === SERVICE) return 0;
  return spec.clusterIP === 'None' ? 2 : 1;
}

function usesDatabase(container: Container, { objects }: Rendered): boolean {
  return settingsLike(objects, SETTINGS.databaseUrl).some(({ reader }) => reader.container === container);
}

function migrates({ command = [], args = [] }: Container): boolean {
  return /alembic|migrat/i.test([...command, ...args].join(' '));
}
