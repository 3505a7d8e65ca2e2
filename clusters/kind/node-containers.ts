/** The containers that are a kind cluster's nodes, as the engine knows them. */
import { z } from 'zod';
import type { CommandRunner } from '../../harness/core/command.ts';
import type { NodeAccess } from '../cluster.ts';

/** kind's own labels (kind, pkg/cluster/internal/providers/docker/constants.go). */
export const CLUSTER_LABEL = 'io.x-k8s.kind.cluster';
const ROLE_LABEL = 'io.x-k8s.kind.role';

const rowSchema = z.object({
  name: z.string().min(1),
  cluster: z.string(),
  role: z.string(),
  state: z.string(),
});

/** A load balancer or an image registry beside the nodes has another role, or none. */
const roleSchema = z.enum(['control-plane', 'worker']).or(z.literal('other')).catch('other');

export interface NodeContainer {
  name: string;
  cluster: string;
  role: 'control-plane' | 'worker' | 'other';
  /** `created`, `running`, `exited`, … */
  state: string;
}

/** All node containers, running or not, of one cluster or of every kind cluster on the engine. */
export async function listNodeContainers(run: CommandRunner, cluster?: string): Promise<NodeContainer[]> {
  const filter = cluster === undefined ? CLUSTER_LABEL : `${CLUSTER_LABEL}=${cluster}`;
  const format = `{{.Names}}\t{{.Label "${CLUSTER_LABEL}"}}\t{{.Label "${ROLE_LABEL}"}}\t{{.State}}`;
  const { stdout } = await run.run(
    'docker',
    ['ps', '--all', '--no-trunc', '--filter', `label=${filter}`, '--format', format],
    { timeoutMs: 30_000, hint: 'check that the engine answers: docker info' },
  );
  return stdout
    .split('\n')
    .filter((line) => line.trim() !== '')
    .map((line) => {
      const [name, owner, role, state] = line.split('\t');
      const row = rowSchema.parse({ name, cluster: owner, role, state });
      return { ...row, role: roleSchema.parse(row.role) };
    })
    .sort((a, b) => a.name.localeCompare(b.name, 'en', { numeric: true }));
}

/** Nodes on which pods of suites run: the workers, or the control plane where there is nothing else (kind untaints it). */
export function schedulableNodes(containers: readonly NodeContainer[]): string[] {
  const workers = containers.filter((container) => container.role === 'worker');
  const chosen = workers.length > 0 ? workers : containers.filter((c) => c.role === 'control-plane');
  return chosen.map((container) => container.name);
}

/** Commands on nodes by `docker exec`. */
export function dockerNodeAccess(run: CommandRunner, signal?: AbortSignal): NodeAccess {
  return {
    run: (node, command, options = {}) =>
      run.run('docker', ['exec', ...(options.input === undefined ? [] : ['-i']), node, ...command], {
        ...options,
        signal,
        hint: `look at the node: docker exec -it ${node} bash`,
      }),
  };
}
