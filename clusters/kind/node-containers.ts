/** The node containers of kind clusters. */
import { z } from 'zod';
import type { CommandRunner } from '../../harness/core/command.ts';
import type { NodeAccess } from '../../harness/kube/cluster/cluster.ts';

/** kind's label on node containers; its value is the cluster's name (kind, pkg/cluster/internal/providers/docker/constants.go). */
export const KIND_CLUSTER_LABEL = 'io.x-k8s.kind.cluster';
const ROLE_LABEL = 'io.x-k8s.kind.role';

/** A load balancer or an image registry has another role, or none. */
const roleSchema = z.enum(['control-plane', 'worker', 'other']).catch('other');

const rowSchema = z.object({
  name: z.string().min(1),
  role: roleSchema,
  /** `created`, `running`, `exited`, … */
  state: z.string(),
});

export type NodeContainer = z.infer<typeof rowSchema>;

/** All node containers of a cluster, running or not. */
export async function listNodeContainers(run: CommandRunner, cluster: string): Promise<NodeContainer[]> {
  const filter = `label=${KIND_CLUSTER_LABEL}=${cluster}`;
  const format = `{{.Names}}\t{{.Label "${ROLE_LABEL}"}}\t{{.State}}`;
  const { stdout } = await run.run(
    'docker',
    ['ps', '--all', '--no-trunc', '--filter', filter, '--format', format],
    { timeoutMs: 30_000, hint: 'check that the engine answers: docker info' },
  );
  return stdout
    .split('\n')
    .filter((line) => line.trim() !== '')
    .map((line) => {
      const [name, role, state] = line.split('\t');
      return rowSchema.parse({ name, role, state });
    })
    .sort((a, b) => a.name.localeCompare(b.name, 'en', { numeric: true }));
}

/** The nodes that run the pods of suites: the workers, or the control plane of a cluster without workers (kind untaints it). */
export function schedulableNodes(containers: readonly NodeContainer[]): string[] {
  const workers = containers.filter((container) => container.role === 'worker');
  const chosen = workers.length > 0 ? workers : containers.filter((c) => c.role === 'control-plane');
  return chosen.map((container) => container.name);
}

/** Runs commands on nodes with `docker exec`. */
export function dockerNodeAccess(run: CommandRunner, signal?: AbortSignal): NodeAccess {
  return {
    run: (node, command, options = {}) =>
      run.run('docker', ['exec', ...(options.input === undefined ? [] : ['-i']), node, ...command], {
        ...options,
        signal,
        hint: `inspect the node: docker exec -it ${node} bash`,
      }),
  };
}
