/** A gateway in front of several servers: it finds them by the EndpointSlices of their namespaces. */
import type { KubeObject } from '../../harness/kube/api/types.ts';
import { podSpecOf } from '../../harness/kube/manifests/objects.ts';
import { rolledOut } from '../../harness/observe/waits/rollout.ts';
import type { Lab } from '../../harness/run/suite/lab.ts';
import { notAboutSubject } from '../../harness/run/suite/not-about-subject.ts';
import type { SubjectConfig } from '../../harness/run/suite/worker-config.ts';
import { GATEWAY } from './suite.ts';

/** Offered beside the chart. A chart of somebody else may have its own. */
const FILE = 'mcp-gateway.yaml';
const VARIABLE = 'GATEWAY_NAMESPACES';
const PORT = 8080;

export interface Gateway {
  /** Where it serves a server of that name: its base URL, without the path of the endpoint. */
  urlOf(server: { namespace: string; name: string }): string;
}

/**
 * Installs the gateway into a namespace of its own, with the right to watch EndpointSlices in the namespaces of the servers.
 *
 * @param namespaces of the servers
 */
export async function startGateway(
  lab: Lab,
  subject: Pick<SubjectConfig, 'images'>,
  namespaces: readonly string[],
): Promise<Gateway> {
  const { kube } = lab;
  const namespace = await lab.namespace();
  const image = subject.images.find(({ name }) => name === GATEWAY)?.ref;
  const objects = await lab.optional(FILE);
  return notAboutSubject('E_GATEWAY', 'the gateway of the check did not start', async () => {
    for (const object of objects) {
      if (object.kind === 'Role') await inAll(object);
      else if (object.kind === 'RoleBinding') await inAll(boundTo(object, namespace));
      else if (object.kind === 'Deployment')
        await kube.apply(watching(object, { namespaces, image }), { namespace });
      else await kube.apply(object, { namespace });
    }
    for (const { kind, metadata } of objects) {
      const ref = { kind: 'Deployment', name: metadata.name, namespace } as const;
      if (kind === ref.kind) await rolledOut(kube, ref, { timeoutMs: 150_000 });
    }
    const service = objects.find(({ kind }) => kind === 'Service')?.metadata.name ?? GATEWAY;
    const base = `http://${service}.${namespace}.svc.cluster.local:${PORT}`;
    return { urlOf: (server) => `${base}/servers/${server.namespace}/${server.name}` };
  });

  async function inAll(object: KubeObject): Promise<void> {
    for (const one of namespaces) await kube.apply(object, { namespace: one });
  }
}

/** Its ServiceAccount is in another namespace than the binding. */
function boundTo(binding: KubeObject, namespace: string): KubeObject {
  const subjects = binding['subjects'] as Record<string, unknown>[];
  return { ...binding, subjects: subjects.map((one) => ({ ...one, namespace })) };
}

function watching(
  deployment: KubeObject,
  { namespaces, image }: { namespaces: readonly string[]; image: string | undefined },
): KubeObject {
  const copy = structuredClone(deployment);
  for (const container of podSpecOf(copy)?.containers ?? []) {
    if (image !== undefined) container.image = image;
    const others = (container.env ?? []).filter(({ name }) => name !== VARIABLE);
    container.env = [...others, { name: VARIABLE, value: namespaces.join(',') }];
  }
  return copy;
}
