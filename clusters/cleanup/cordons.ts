/** Nodes that runs have cordoned and not given back, because they were killed. */
import { CORDONED_BY } from '../../harness/core/run-id.ts';
import { ApiError } from '../../harness/kube/api/errors.ts';
import type { KubeClient } from '../../harness/kube/api/client.ts';

export interface Cordon {
  node: string;
  /** Id of the run that made it. */
  run: string;
}

/** The cordons of runs, by the mark that each of them sets. Empty for a user who may not list nodes: he could not have made one. */
export async function cordonsOfRuns(kube: Pick<KubeClient, 'list'>): Promise<Cordon[]> {
  try {
    const nodes = await kube.list('Node');
    return nodes.flatMap(({ metadata }) => {
      const run = metadata.annotations?.[CORDONED_BY];
      return run === undefined ? [] : [{ node: metadata.name, run }];
    });
  } catch (error) {
    if (error instanceof ApiError) return [];
    throw error;
  }
}

/** Cordons a node, with the mark of the run. */
export async function cordonNode(kube: Pick<KubeClient, 'patch'>, { node, run }: Cordon): Promise<void> {
  const metadata = { annotations: { [CORDONED_BY]: run } };
  await kube.patch('Node', { name: node }, { metadata, spec: { unschedulable: true } });
}

export async function uncordonNode(kube: Pick<KubeClient, 'patch'>, node: string): Promise<void> {
  const metadata = { annotations: { [CORDONED_BY]: null } };
  await kube.patch('Node', { name: node }, { metadata, spec: { unschedulable: null } });
}
