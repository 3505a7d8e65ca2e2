/** The RuntimeClass objects that administrators of a real cluster have made, and charts refer to. */
import type { KubeClient } from '../../harness/kube/api/client.ts';
import type { Topology } from '../cluster.ts';

/**
 * Makes the topology's RuntimeClasses, each with the handler of its name and without scheduling rules: those are the chart's.
 *
 * @returns the names of those that were missing or had another handler
 */
export async function ensureRuntimeClasses(kube: KubeClient, topology: Topology): Promise<string[]> {
  const made: string[] = [];
  for (const name of topology.runtimeClasses ?? []) {
    const there = await kube.get('RuntimeClass', { name });
    if (there?.['handler'] === name && there['scheduling'] === undefined) continue;
    // The handler of a RuntimeClass cannot be changed.
    if (there) await kube.delete('RuntimeClass', { name });
    await kube.create({
      apiVersion: 'node.k8s.io/v1',
      kind: 'RuntimeClass',
      metadata: { name },
      handler: name,
    });
    made.push(name);
  }
  return made;
}
