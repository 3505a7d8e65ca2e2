/** A pod of the server that does not start, because its configuration cannot be mounted. */
import { eventReported } from '../../harness/observe/waits/events.ts';
import { podCreated } from '../../harness/observe/waits/pod-creation.ts';
import type { Release } from '../../harness/run/suite/release.ts';
import { serverOf } from './server.ts';

/** For the kubelet to report it: it tries again and again. */
const REPORT_MS = 90_000;

/**
 * Waits until the kubelet reports of a pod of the server that it cannot mount a volume. Other workloads of the release may have the same
 * trouble.
 *
 * @param why part of the kubelet's message
 * @returns the message
 * @throws WaitTimeout early when the pod starts nevertheless
 */
export async function mountFailed(release: Release, why: string): Promise<string> {
  const { kube } = release;
  const workload = serverOf(release);
  const { namespace } = workload;
  const { name } = (await podCreated(kube, workload)).metadata;
  return eventReported(
    kube,
    namespace,
    { reason: 'FailedMount', message: why, about: { kind: 'Pod', name } },
    {
      timeoutMs: REPORT_MS,
      unless: async () => {
        const pod = await kube.get('Pod', { name, namespace });
        return pod?.status?.phase === 'Running' ? `${name} has started without it` : undefined;
      },
    },
  );
}
