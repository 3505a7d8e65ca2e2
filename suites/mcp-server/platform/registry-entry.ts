/** The entry of a server in the registry, in the documented form. */
import { z } from 'zod';
import { leavesOf } from '../../../harness/kube/helm/unknown-values.ts';

const quantities = z.strictObject({ cpu: z.string(), memory: z.string() });

export const registryEntry = z.strictObject({
  type: z.literal('k8s'),
  chart: z.string(),
  namespace: z.string(),
  replicas: z.number().int().min(0),
  resources: z.strictObject({ requests: quantities, limits: quantities }),
  service: z.strictObject({
    type: z.enum(['ClusterIP', 'NodePort', 'LoadBalancer']),
    port: z.number().int(),
  }),
  env: z.record(z.string(), z.string()),
});

export type RegistryEntry = z.infer<typeof registryEntry>;

/** The entry of the documents, with the namespace of a check. */
export function documentedEntry(namespace: string): RegistryEntry {
  return registryEntry.parse({
    type: 'k8s',
    chart: 'mcp-server',
    namespace,
    replicas: 2,
    resources: {
      requests: { cpu: '100m', memory: '128Mi' },
      limits: { cpu: '500m', memory: '512Mi' },
    },
    service: { type: 'ClusterIP', port: 8080 },
    env: { GITHUB_TOKEN: '{{.Values.github.token}}' },
  });
}

/** The documented entry, small enough for a machine with two cores. */
export function smallEntry(namespace: string): RegistryEntry {
  const entry = documentedEntry(namespace);
  const requests = { cpu: '20m', memory: '48Mi' };
  return { ...entry, resources: { requests, limits: { cpu: '500m', memory: '128Mi' } } };
}

/** A small entry with one replica. */
export function oneOf(namespace: string): RegistryEntry {
  return { ...smallEntry(namespace), replicas: 1 };
}

/** The values of the chart that an entry stands for, as for `--set`: the lab notices a chart that does not have them. */
export function settingsOf({ replicas, resources, service, env }: RegistryEntry): string[] {
  return leavesOf({ replicaCount: replicas, resources, service, env }).map(
    ({ path, value }) => `${path}=${String(value).replaceAll(/[\\,{}]/g, (sign) => `\\${sign}`)}`,
  );
}

/** An entry with the resources that the server has by itself, where they are complete: it may need more than another one. */
export function withResources(entry: RegistryEntry, own: unknown): RegistryEntry {
  const resources = registryEntry.shape.resources.safeParse(own);
  return resources.success ? { ...entry, resources: resources.data } : entry;
}
