/** Connects to an existing cluster. Nothing is installed in it except by the checks. */
import { chmod, mkdir, rm, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { z } from 'zod';
import { InterruptedError, messageOf, UsageError } from '../../harness/core/errors.ts';
import type { Log } from '../../harness/core/log.ts';
import type { KubeClient } from '../../harness/kube/api/client.ts';
import { createKubeClient } from '../../harness/kube/api/http-client.ts';
import type { Cluster } from '../../harness/kube/cluster/cluster.ts';
import { describeNodes } from '../nodes/describe-nodes.ts';
import { minimiseKubeconfig } from './minimise-kubeconfig.ts';

export interface ExistingProviderOptions {
  /** The user's kubeconfig; read only. */
  kubeconfig: string | undefined;
  context: string | undefined;
  log?: Log | undefined;
  signal?: AbortSignal | undefined;
  /** Opens a client; replaced in unit tests. */
  connect?: ((options: { kubeconfig: string; context: string }) => Promise<KubeClient>) | undefined;
}

export interface ExistingProvider {
  /**
   * Copies the context into `kubeconfig` (the run's own file, mode 0600) and connects.
   *
   * @throws UsageError `E_CLUSTER_UNREACHABLE` when the API server does not answer; nothing has been created at this point
   */
  attach(options: { kubeconfig: string; onNotice?: ((text: string) => void) | undefined }): Promise<Cluster>;
}

/**
 * Requires an explicit kubeconfig and context. A default such as the current context could be a production cluster.
 *
 * @throws UsageError `E_CONTEXT_NOT_NAMED`
 */
export function existingProvider(options: ExistingProviderOptions): ExistingProvider {
  const { log, signal } = options;
  const { kubeconfig: source, context } = requireContext(options);
  const connect = options.connect ?? ((at) => createKubeClient({ ...at, log, signal }));
  return {
    async attach({ kubeconfig, onNotice }) {
      const text = await minimiseKubeconfig(source, context);
      await mkdir(dirname(kubeconfig), { recursive: true });
      await writeFile(kubeconfig, text, { mode: 0o600 });
      await chmod(kubeconfig, 0o600);
      try {
        const kube = await connect({ kubeconfig, context });
        return existingCluster({ kube, kubernetes: await kube.version(), kubeconfig, context, onNotice });
      } catch (error) {
        await rm(kubeconfig, { force: true });
        if (error instanceof InterruptedError) throw error;
        throw new UsageError(
          'E_CLUSTER_UNREACHABLE',
          `the cluster of context ${context} does not answer: ${messageOf(error)}`,
          {
            hint: `check it: kubectl --kubeconfig ${source} --context ${context} version`,
            cause: error,
          },
        );
      }
    },
  };
}

/**
 * Both, never a default.
 *
 * @throws UsageError `E_CONTEXT_NOT_NAMED`
 */
export function requireContext({
  kubeconfig,
  context,
}: {
  kubeconfig?: string | undefined;
  context?: string | undefined;
}): { kubeconfig: string; context: string } {
  if (kubeconfig && context) return { kubeconfig, context };
  const missing = [...(kubeconfig ? [] : ['--kubeconfig']), ...(context ? [] : ['--context'])];
  throw new UsageError('E_CONTEXT_NOT_NAMED', `--cluster existing needs ${missing.join(' and ')}`, {
    hint: 'name both, e.g. --kubeconfig ./my.kubeconfig --context my-cluster; neither KUBECONFIG nor a current context is used',
  });
}

const nodeImagesSchema = z.looseObject({
  images: z.array(z.looseObject({ names: z.array(z.string()).nullish() })).nullish(),
});

/** The cluster of an open client. */
export function existingCluster(options: {
  kube: KubeClient;
  kubernetes: string;
  kubeconfig: string;
  context: string;
  onNotice?: ((text: string) => void) | undefined;
}): Cluster {
  const { kube, kubernetes, kubeconfig, context } = options;
  return {
    provider: 'existing',
    name: context,
    context,
    kubeconfig,
    kubernetes,
    kube,
    describe: () => describeNodes(kube),
    loadImages(refs, onProgress) {
      const text = `images are not loaded into an existing cluster; its nodes must be able to pull ${refs.join(', ')}`;
      if (refs.length > 0) (onProgress ?? options.onNotice)?.(text);
      return Promise.resolve();
    },
    /** As the nodes report them: at most 50 images each (kubelet, nodeStatusMaxImages). */
    async imagesOnNodes() {
      const nodes = await kube.list('Node');
      return new Map(
        nodes.map((node) => {
          const { images } = nodeImagesSchema.parse(node.status ?? {});
          return [node.metadata.name, new Set((images ?? []).flatMap((image) => image.names ?? []))] as const;
        }),
      );
    },
  };
}
