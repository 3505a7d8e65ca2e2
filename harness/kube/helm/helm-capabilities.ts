/** Helm's `.Capabilities`: the Kubernetes version and API versions that a chart can query while it renders. */
import type { KubeClient } from '../api/client.ts';

export interface HelmCapabilities {
  /** `v1.36.3`. Helm also checks a chart's `kubeVersion` constraint against it. Default: the version that helm was built for. */
  kubeVersion?: string;
  /** Added to helm's built-in ones: `monitoring.coreos.com/v1`, `monitoring.coreos.com/v1/ServiceMonitor`. */
  apiVersions?: readonly string[];
}

/** Reads the capabilities of a cluster, once, so that `render` gives the same objects as `install`. */
export function helmCapabilities(
  kube: Pick<KubeClient, 'version' | 'resources'>,
): () => Promise<HelmCapabilities> {
  let read: Promise<HelmCapabilities> | undefined;
  return () => {
    read ??= Promise.all([kube.version(), kube.resources()]).then(([kubeVersion, resources]) => {
      const apiVersions = resources.flatMap(({ apiVersion, kind }) => [apiVersion, `${apiVersion}/${kind}`]);
      return { kubeVersion, apiVersions: [...new Set(apiVersions)].sort() };
    });
    // A failed read is not cached.
    read.catch(() => (read = undefined));
    return read;
  };
}
