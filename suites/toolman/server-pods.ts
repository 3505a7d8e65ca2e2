/** The server on the cluster: its pods and its Service. A worker or a database of the release is not the server. */
import { z } from 'zod';
import { waitFor } from '../../harness/core/deadline.ts';
import type { HttpAnswer } from '../../harness/kube/api/client.ts';
import type { Pod } from '../../harness/kube/api/types.ts';
import type { Lab } from '../../harness/run/suite/lab.ts';
import type { Release } from '../../harness/run/suite/release.ts';
import { inShape, parseJsonOf } from '../../harness/run/suite/shape.ts';
import { restrictingOf } from '../any-chart/network-policies.ts';
import { startClientPod, type ClientPod } from '../pods/client-pod.ts';
import { portOf, serverIn, serverOf, serviceOf } from './server.ts';

/** The pods of the workload that plays the server. */
export function serverPods(release: Release): Promise<Pod[]> {
  return serverOf(release).pods();
}

/** The first of them. */
export function serverPod(release: Release): Promise<Pod> {
  return release.pod(serverOf(release));
}

/** By check. */
const callers = new WeakMap<Lab, Promise<ClientPod>>();

/**
 * Asks a pod of the server, by default at the port of the application. The API server asks, unless a network policy restricts who may: then
 * a pod of the check does.
 */
export async function askPod(
  lab: Lab,
  release: Release,
  { metadata: { name }, status }: Pod,
  path: string,
  port = portOf(serverIn(release)).number,
): Promise<Pick<HttpAnswer, 'status' | 'body'>> {
  const { workload, namespace } = serverIn(release);
  if (restrictingOf(workload, 'ingress').length === 0)
    return release.http({ kind: 'Pod', name, port }, path, { namespace });
  const caller = callers.get(lab) ?? startClientPod(lab, release);
  callers.set(lab, caller);
  const client = await caller;
  return waitFor({
    what: `an answer of ${name} to GET ${path} at port ${port}`,
    timeoutMs: 60_000,
    look: async () => {
      const [head = '', ...rest] = (await client.httpGet(status?.podIP ?? '', port, path)).split('\r\n\r\n');
      const code = /^HTTP\/1\.[01] (\d{3}) /.exec(head)?.[1];
      if (code === undefined) return { done: false, seen: 'none' };
      return { done: true, value: { status: Number(code), body: rest.join('\r\n\r\n') } };
    },
  });
}

const readiness = z.looseObject({ servers_configured: z.int() });

/** How many tool servers a pod has configured, by its own word. @throws CheckFailure when GET /ready does not say it */
export async function configuredServers(lab: Lab, release: Release, pod: Pod): Promise<number> {
  const what = `GET /ready of ${pod.metadata.name}`;
  const { body } = await askPod(lab, release, pod, '/ready');
  return inShape(readiness, parseJsonOf(body, what), what).servers_configured;
}

/** The Service of the server, as clients address it. */
export interface ServiceAddress {
  name: string;
  namespace: string;
  /** Its name for DNS. */
  host: string;
  /** Its address; without one, its name for DNS. */
  address: string;
  /** The one that leads to the port of the application; otherwise the first. */
  port: number;
}

/** Where clients find the server. */
export async function serviceAddress(release: Release): Promise<ServiceAddress> {
  const { metadata, spec } = await release.liveService(serviceOf(release));
  const server = serverIn(release);
  const { number, name } = portOf(server);
  const { ports = [] } = spec;
  const leading = ports.find(({ port, targetPort = port }) => targetPort === number || targetPort === name);
  const host = `${metadata.name}.${server.namespace}.svc.cluster.local`;
  const address = spec.clusterIP === undefined || spec.clusterIP === 'None' ? host : spec.clusterIP;
  return {
    name: metadata.name,
    namespace: server.namespace,
    host,
    address,
    port: (leading ?? ports[0])?.port ?? number,
  };
}
