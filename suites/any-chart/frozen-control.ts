/** A pod of the check with the times of the probes of a subject, on the same node, to be frozen at the same moment. */
import { cgroupOf } from '../../clusters/nodes/container-cgroup.ts';
import { busyboxImage } from '../../fixtures/images/build.ts';
import { InfrastructureError, InterruptedError, messageOf } from '../../harness/core/errors.ts';
import type { Pod, Probe } from '../../harness/kube/api/types.ts';
import type { NodeAccess } from '../../harness/kube/cluster/cluster.ts';
import { failuresOf, type FrozenProbe } from '../../harness/observe/predicates/live/frozen-probe.ts';
import { podReady } from '../../harness/observe/waits/pod-start.ts';
import { barePodSpec } from '../../harness/run/suite/bare-pod.ts';
import type { Lab } from '../../harness/run/suite/lab.ts';

const FIRST_PORT = 8080;

export interface FrozenControl {
  freeze(): Promise<void>;
  /** Failures of the probe that has the times of the subject's probe of this position. */
  failures(index: number): Promise<number>;
}

/**
 * Starts it: one container for each probe, with a readiness probe, which restarts nothing.
 *
 * @throws InfrastructureError `E_CONTROL` when it does not start
 */
export async function startFrozenControl(
  { kube }: Lab,
  access: NodeAccess,
  at: { namespace: string; name: string; beside: Pod },
  probes: readonly FrozenProbe[],
): Promise<FrozenControl> {
  const { namespace, name, beside } = at;
  const node = beside.spec.nodeName ?? '';
  const [container] = barePodSpec(name, { image: busyboxImage.ref }).containers;
  const spec = barePodSpec(name, { image: busyboxImage.ref, node, tolerations: [{ operator: 'Exists' }] });
  const containers = probes.map(({ probe }, index) => ({
    ...container,
    name: nameOf(index),
    command: ['sh', '-c', serve(FIRST_PORT + index)],
    readinessProbe: timesOf(probe, FIRST_PORT + index),
  }));
  let pod: Pod;
  try {
    await kube.create({
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { name, namespace },
      spec: { ...spec, containers, restartPolicy: 'Never' },
    });
    pod = await podReady(kube, { name, namespace });
  } catch (error) {
    if (error instanceof InterruptedError) throw error;
    throw new InfrastructureError(
      'E_CONTROL',
      `no control pod could be started on ${node}: ${messageOf(error)}`,
      {
        cause: error,
        hint: `Check that the node has room for a pod and can run the image ${busyboxImage.ref}.`,
      },
    );
  }
  return {
    async freeze() {
      for (const index of probes.keys()) await (await cgroupOf(access, pod, nameOf(index))).freeze();
    },
    async failures(index) {
      const fieldSelector = `reason=Unhealthy,involvedObject.name=${name}`;
      const events = await kube.list('Event', { namespace, fieldSelector });
      return failuresOf(events, { container: nameOf(index), name: 'readinessProbe' });
    },
  };
}

function serve(port: number): string {
  return `mkdir -p /tmp/www && echo ok > /tmp/www/index.html && exec busybox httpd -f -p ${port} -h /tmp/www`;
}

function nameOf(index: number): string {
  return `probe-${index}`;
}

function timesOf({ periodSeconds, timeoutSeconds, failureThreshold }: Probe, port: number): Probe {
  return {
    httpGet: { path: '/', port },
    ...(periodSeconds !== undefined && { periodSeconds }),
    ...(timeoutSeconds !== undefined && { timeoutSeconds }),
    ...(failureThreshold !== undefined && { failureThreshold }),
  };
}
