/** A runtime handler exists in containerd. containerd silently ignores wrong configuration keys, so a pod has to prove it. */
import { waitFor, WaitTimeout } from '../../harness/core/deadline.ts';
import { GPU_NODE_LABELS } from '../topology.ts';
import type { ProbeContext, ProbeResult } from './probe.ts';
import { probePod } from './probe.ts';

/** No image is needed: only the sandbox needs the handler, and it is created before the image is looked up. */
const NO_IMAGE = 'kindproof.invalid/sandbox-only:0';

/** Probes every GPU node, or one worker where there are none. */
export async function probeRuntimeHandler(context: ProbeContext, handler: string): Promise<ProbeResult> {
  const { kube, cluster, inNamespace } = context;
  const nodes = await cluster.describe();
  const workers = nodes.filter((node) => node.role === 'worker');
  const [gpuLabel = ''] = Object.keys(GPU_NODE_LABELS);
  const gpuNodes = workers.filter((node) => gpuLabel in node.labels);
  const probed = gpuNodes.length > 0 ? gpuNodes : (workers.length > 0 ? workers : nodes).slice(0, 1);
  return inNamespace(async (namespace) => {
    const runtimeClass = {
      apiVersion: 'node.k8s.io/v1',
      kind: 'RuntimeClass',
      metadata: { name: namespace, labels: context.labels },
      handler,
    };
    try {
      await kube.create(runtimeClass);
      const results = await Promise.all(
        probed.map(async ({ name: node }, index) => {
          const name = `sandbox-${index}`;
          const pod = probePod({ namespace, name, image: NO_IMAGE, command: ['none'], node });
          pod.spec.runtimeClassName = namespace;
          pod.spec.containers.forEach((container) => (container.imagePullPolicy = 'Never'));
          await kube.create(pod);
          return { node, problem: await sandboxProblem(context, { namespace, name }) };
        }),
      );
      const failed = results.find(({ problem }) => problem !== undefined);
      if (failed) return { present: false, evidence: `${failed.node}: ${failed.problem ?? ''}` };
      const where = results.map(({ node }) => node).join(', ');
      return { present: true, evidence: `handler ${handler} created a pod sandbox on ${where}` };
    } finally {
      await kube.teardown.delete('RuntimeClass', { name: namespace });
    }
  });
}

/** `undefined` once the sandbox exists; on timeout, why it is missing. */
async function sandboxProblem(
  { kube, clock, signal }: ProbeContext,
  ref: { namespace: string; name: string },
): Promise<string | undefined> {
  try {
    return await waitFor<string | undefined>({
      what: `a sandbox for ${ref.name}`,
      timeoutMs: 90_000,
      intervalMs: 500,
      clock,
      signal,
      look: async () => {
        const pod = await kube.get('Pod', ref);
        // The kubelet looks up the image only after it has created the sandbox.
        const reason = pod?.status?.containerStatuses?.[0]?.state?.waiting?.reason;
        if (reason === 'ErrImageNeverPull') return { done: true, value: undefined };
        const events = await kube.list('Event', {
          namespace: ref.namespace,
          fieldSelector: `involvedObject.name=${ref.name},reason=FailedCreatePodSandBox`,
        });
        const failure = events.at(-1)?.message;
        // Other sandbox failures are temporary (the pod network is not ready yet); this one is not.
        if (failure !== undefined && /no runtime for .* is configured|unknown runtime/i.test(failure)) {
          return { done: true, value: failure };
        }
        return { done: false, seen: failure ?? reason ?? pod?.status?.phase ?? 'no pod' };
      },
    });
  } catch (error) {
    if (error instanceof WaitTimeout) return error.message;
    throw error;
  }
}
