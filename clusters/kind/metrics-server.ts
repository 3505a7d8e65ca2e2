/** Installs metrics-server, which is in the node image. It uses memory, so only clusters whose topology requires metrics get it. */
import { parseAllDocuments } from 'yaml';
import { z } from 'zod';
import type { KubeClient } from '../../harness/kube/api/client.ts';
import type { NodeAccess } from '../../harness/kube/cluster/cluster.ts';

const MANIFEST = '/kind/manifests/metrics-server.yaml';

const objectSchema = z.looseObject({
  apiVersion: z.string(),
  kind: z.string(),
  metadata: z.looseObject({ name: z.string() }),
});

/** @returns `false` when the node image has no metrics-server, as in kind's own image: the capability `metrics` is then absent */
export async function installMetricsServer(
  kube: KubeClient,
  nodes: NodeAccess,
  controlPlane: string,
): Promise<boolean> {
  const manifest = await nodes.run(controlPlane, ['cat', MANIFEST], { reject: false });
  if (manifest.exitCode !== 0) return false;
  for (const document of parseAllDocuments(manifest.stdout)) {
    const content: unknown = document.toJS();
    if (content !== null) await kube.apply(objectSchema.parse(content));
  }
  return true;
}
