/** The entry of a server in the registry, in the documented form. */
import { z } from 'zod';

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

/** The values of the chart that an entry stands for. */
export function valuesOf({ replicas, resources, service, env }: RegistryEntry): Record<string, unknown> {
  return { replicaCount: replicas, resources, service, env };
}
