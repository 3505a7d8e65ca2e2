/** The running objects as the documents' commands show them: `get`, `describe`, `logs`. */
import { z } from 'zod';
import { eventually } from '../../../harness/observe/waits/eventually.ts';
import { isExposition } from '../../../harness/observe/predicates/live/exposition.ts';
import { selectorSelectsExactly } from '../../../harness/observe/predicates/live/workload.ts';
import type { PredicateResult } from '../../../harness/observe/predicates/result.ts';
import { podTemplateOf } from '../../../harness/kube/manifests/objects.ts';
import { expect } from '../../../harness/run/suite/assertions.ts';
import { containerNamed } from '../../../harness/run/suite/release.ts';
import { serviceTarget } from '../api/api-client.ts';
import { newestIsAvailable } from '../deployment.ts';
import { startDatabaseClient } from '../database/database-client.ts';
import { requirement } from '../kit.ts';
import { CONFIG_MAP, CONTAINERS, HOSTNAME, SECRET, SELECTOR } from '../names.ts';
import { connect, connectionAccepted, startPythonPod } from '../python-pod.ts';
import { rolesOf, serverOf, serverPods, serviceOf, servicesOf } from '../roles.ts';

requirement('R-03', 'has 3 replicas available', { first: true }, async ({ release }) => {
  await expect(serverOf(release)).toHaveAvailableReplicas(3);
});

requirement('R-03', 'spreads its 3 replicas over the nodes', async ({ release }) => {
  await expect(serverOf(release)).toBeSpreadOver(HOSTNAME, { maxSkew: 1 });
});

requirement(
  'R-04',
  'is reachable in the cluster by the name of its Service, and not through the nodes',
  async ({ release, lab, kube, observe }) => {
    for (const { metadata } of servicesOf(release)) {
      const { spec } = await release.service(metadata.name);
      expect(spec.type, `type of Service ${metadata.name}`).toBe('ClusterIP');
      const nodePorts = (spec.ports ?? []).flatMap((port) => port.nodePort ?? []);
      expect(nodePorts, `node ports of Service ${metadata.name}`).toEqual([]);
    }
    const client = await startPythonPod(release, await lab.namespace(), 'client');
    const { name, port } = serviceTarget(release);
    const host = `${name}.${release.namespace}.svc.cluster.local`;
    await connectionAccepted(release, client, { host, port }, `from another namespace to ${host}:${port}`);
    const addresses = (await kube.list('Node')).flatMap(({ status }) =>
      (status?.addresses ?? []).filter(({ type }) => type === 'InternalIP').map(({ address }) => address),
    );
    expect(addresses.length, 'addresses of nodes').toBeGreaterThan(0);
    for (const address of addresses) {
      const answer = await connect(release, client, { host: address, port });
      expect(answer, `connection to node ${address}:${port}`).not.toBe('connected');
    }
    observe(
      `${host}:${port} accepts connections from another namespace; port ${port} of ${addresses.length} nodes does not, and there is no node port`,
    );
  },
);

requirement('R-24', `selects exactly its 3 pods by ${SELECTOR}`, async ({ release, kube, observe }) => {
  const selected = await kube.list('Pod', { namespace: release.namespace, labelSelector: SELECTOR });
  const result = selectorSelectsExactly(SELECTOR, selected, await serverPods(release));
  await expect(result).toHold();
  expect(selected.length, `pods with ${SELECTOR}`).toBe(3);
  observe(result.actual);
});

requirement(
  'R-25',
  'logs that the migrations completed and that the application started',
  { names: true },
  async ({ release, kube, observe }) => {
    const { namespace } = release;
    // The documents define the names of the containers and the meaning of the logs, not their wording.
    const wanted = { migrations: /complete|finished|up.to.date|head|succe/i, api: /start|listen|running/i };
    for (const pod of await serverPods(release)) {
      for (const container of CONTAINERS) {
        const { name } = pod.metadata;
        containerNamed(pod.spec, container, `pod ${name}`);
        // A busy node is late with the last lines of a log, or does not answer for a moment.
        const result = await eventually(async () => {
          const log = await kube.logs({ namespace, pod: name, container });
          const line = log?.split('\n').findLast((text) => wanted[container].test(text));
          const expected = `log of container ${container} in ${name} has a line with ${String(wanted[container])}`;
          return { ok: line !== undefined, expected, actual: line ?? 'no such line' };
        });
        await expect(result).toHold();
        observe(`${name} ${container}: ${result.actual}`);
      }
    }
  },
);

requirement(
  'R-26',
  'has the conditions Available and Progressing, with its newest ReplicaSet available',
  async ({ release, observe }) => {
    // One late probe makes it unavailable for a moment.
    const result = await eventually(async () => {
      const server = serverOf(release);
      const { status } = await server.read();
      return newestIsAvailable(server.name, status?.conditions);
    });
    await expect(result).toHold();
    observe(result.actual);
  },
);

requirement(
  'R-42',
  'serves metrics in the exposition format from every pod, at the annotated port and path',
  async ({ release }) => {
    const annotations = podTemplateOf(rolesOf(release).deployment)?.metadata.annotations ?? {};
    const path = annotations['prometheus.io/path'] ?? '/metrics';
    const port = Number(annotations['prometheus.io/port']);
    for (const pod of await serverPods(release)) {
      const { name } = pod.metadata;
      const answer = await release.http({ kind: 'Pod', name, port }, path);
      await expect(isExposition(answer, `GET ${path} of ${name} on port ${port}`)).toHold();
    }
  },
);

requirement(
  'R-46',
  'has its ConfigMap and its Secret under the documented names',
  async ({ release, kube, observe }) => {
    const { namespace } = release;
    const configMap = await kube.get('ConfigMap', { name: CONFIG_MAP, namespace });
    expect(configMap, `ConfigMap ${CONFIG_MAP}`).toBeDefined();
    const secret = await kube.get('Secret', { name: SECRET, namespace });
    // Not the object itself: a failure would show it.
    expect(secret !== undefined, `Secret ${SECRET} exists`).toBe(true);
    const keys = (data: Record<string, string> = {}): string => Object.keys(data).join(', ');
    observe(`${CONFIG_MAP}: ${keys(configMap?.data)}; ${SECRET}: ${keys(secret?.data)}`);
  },
);

requirement(
  'R-47',
  'has a database that a throw-away pod can reach as postgres-service:5432',
  async ({ release, lab, observe }) => {
    const { database, databaseUrl } = release.environment;
    const openSession = await startDatabaseClient(release, lab);
    const wanted = `${database.name} ${database.owner}`;
    const reached = async (): Promise<PredicateResult> => {
      const session = await openSession(databaseUrl);
      const expected = `database and user of a session from a throw-away pod: ${wanted}`;
      return { ok: session === wanted, expected, actual: session };
    };
    // On a busy machine the first answers of DNS and database are late.
    await expect(eventually(reached)).toHold();
    observe(`connected as ${database.owner}`);
  },
);

const endpointsSchema = z.object({
  subsets: z.array(
    z.object({
      addresses: z.array(z.object({ ip: z.string() })).default([]),
      ports: z.array(z.object({ port: z.number() })).default([]),
    }),
  ),
});

requirement(
  'R-48',
  'shows exactly its ready pods as endpoints of its Service, on its port',
  async ({ release, kube, observe }) => {
    const { namespace } = release;
    const { port } = rolesOf(release);
    // The older kind Endpoints, which another controller writes.
    const shown = async (): Promise<PredicateResult> => {
      const { name } = serviceOf(release).metadata;
      const ref = { name, namespace };
      const endpoints = await kube.get({ apiVersion: 'v1', kind: 'Endpoints' }, ref);
      const actual = addressesOf(endpoints).join(', ');
      const ips = (await serverPods(release)).map((pod) => pod.status?.podIP ?? '');
      const wanted = ips.map((ip) => `${ip}:${port}`).toSorted();
      const expected = `addresses of Endpoints ${name}: ${wanted.join(', ')}`;
      return { ok: actual === wanted.join(', '), expected, actual: actual || 'none' };
    };
    const result = await eventually(shown);
    await expect(result).toHold();
    observe(result.actual);
  },
);

function addressesOf(endpoints: unknown): string[] {
  const subsets = endpointsSchema.safeParse(endpoints).data?.subsets ?? [];
  return subsets
    .flatMap(({ addresses, ports }) =>
      addresses.flatMap(({ ip }) => ports.map(({ port }) => `${ip}:${port}`)),
    )
    .toSorted();
}
