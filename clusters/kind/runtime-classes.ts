/** The RuntimeClass objects that charts refer to, and that an administrator creates on a real cluster. */
import type { KubeClient } from '../../harness/kube/api/client.ts';
import type { Topology } from '../../harness/kube/cluster/cluster.ts';

/**
 * Creates the topology's RuntimeClasses, each with the handler of the same name and without scheduling rules, which are up to the chart.
 *
 * @returns names of the RuntimeClasses that were missing or different
 */
export async function ensureRuntimeClasses(kube: KubeClient, topology: Topology): Promise<string[]> {
  const created: string[] = [];
  for (const name of topology.runtimeClasses ?? []) {
    const existing = await kube.get('RuntimeClass', { name });
    if (existing?.['handler'] === name && existing['scheduling'] === undefined) continue;
    // The handler of a RuntimeClass is immutable.
    if (existing) await kube.delete('RuntimeClass', { name });
    await kube.create({
      apiVersion: 'node.k8s.io/v1',
      kind: 'RuntimeClass',
      metadata: { name },
      handler: name,
    });
    created.push(name);
  }
  return created;
}
