/** What a chart may ask about the cluster while it is rendered (`.Capabilities`). */
import type { KubeClient } from '../api/client.ts';

export interface Capabilities {
  /** `v1.36.3`; also what a chart's `kubeVersion` is held against. Without it, whatever helm was built with. */
  kubeVersion?: string;
  /** `monitoring.coreos.com/v1`, `monitoring.coreos.com/v1/ServiceMonitor`, added to those that every cluster has. */
  apiVersions?: readonly string[];
}

/** Reads the capabilities of a cluster once, so that `render` shows what `install` would send there. */
export function clusterCapabilities(
  kube: Pick<KubeClient, 'version' | 'resources'>,
): () => Promise<Capabilities> {
  let read: Promise<Capabilities> | undefined;
  return () => {
    read ??= Promise.all([kube.version(), kube.resources()]).then(([kubeVersion, resources]) => {
      const apiVersions = resources.flatMap(({ apiVersion, kind }) => [apiVersion, `${apiVersion}/${kind}`]);
      return { kubeVersion, apiVersions: [...new Set(apiVersions)].sort() };
    });
    // One that failed says nothing about the cluster: whoever comes next asks again.
    read.catch(() => (read = undefined));
    return read;
  };
}
