/** Pods beside a release that show what the machine does to any pod: they serve, and have the times of the release's probes. */
import { InfrastructureError, InterruptedError, messageOf } from '../../core/errors.ts';
import type { KubeClient } from '../../kube/api/client.ts';
import type { Container, Pod, Probe } from '../../kube/api/types.ts';
import { podReady } from '../../observe/waits/pod-start.ts';
import { barePodSpec } from './bare-pod.ts';

/** The command of a container with busybox that answers `GET /` on this port. */
export function serveOn(port: number): string[] {
  const serve = `mkdir -p /tmp/www && echo ok > /tmp/www/index.html && exec busybox httpd -f -p ${port} -h /tmp/www`;
  return ['sh', '-c', serve];
}

/** A probe of what `serveOn` serves: as often, as long and as patient as a probe of the release. */
export function probeLike(
  { periodSeconds, timeoutSeconds, failureThreshold }: Probe = {},
  port: number,
): Probe {
  return {
    httpGet: { path: '/', port },
    ...(periodSeconds !== undefined && { periodSeconds }),
    ...(timeoutSeconds !== undefined && { timeoutSeconds }),
    ...(failureThreshold !== undefined && { failureThreshold }),
  };
}

/**
 * The probe that notices a stall of the machine at least as soon as each of these: as often as the most frequent, with the least time for
 * an answer.
 */
export function sharpestOf(probes: readonly Probe[]): Probe {
  return {
    periodSeconds: Math.min(10, ...probes.map(({ periodSeconds = 10 }) => periodSeconds)),
    timeoutSeconds: Math.min(...probes.map(({ timeoutSeconds = 1 }) => timeoutSeconds)),
  };
}

/**
 * Starts one on a node and waits until it is Ready. A restart would hide that it failed, so there is none.
 *
 * @param containers makes its containers of that of a bare pod
 * @throws InfrastructureError `E_CONTROL` when it does not start: without it, nothing is known about the release
 */
export async function startControlPod(
  kube: KubeClient,
  at: { name: string; namespace: string; node: string; image: string },
  containers: (bare: Container) => Container[],
): Promise<Pod> {
  const { name, namespace, node, image } = at;
  const spec = barePodSpec(name, { image, node, tolerations: [{ operator: 'Exists' }] });
  try {
    await kube.create({
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { name, namespace },
      spec: { ...spec, containers: spec.containers.flatMap(containers), restartPolicy: 'Never' },
    });
    return await podReady(kube, { name, namespace });
  } catch (error) {
    if (error instanceof InterruptedError) throw error;
    throw new InfrastructureError(
      'E_CONTROL',
      `no control pod could be started on ${node}: ${messageOf(error)}`,
      {
        cause: error,
        hint: `Check that the node has room for a pod and can run the image ${image}.`,
      },
    );
  }
}
