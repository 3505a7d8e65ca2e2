/** A pod with the labels of a workload: policies treat it like one, and it has the programs of the checks. */
import { busyboxImage } from '../../fixtures/images/build.ts';
import { waitFor, WaitTimeout } from '../../harness/core/deadline.ts';
import { InfrastructureError } from '../../harness/core/errors.ts';
import { barePodSpec } from '../../harness/run/suite/bare-pod.ts';
import type { Lab } from '../../harness/run/suite/lab.ts';

/** Nobody sets this condition, so the pod never becomes ready and no Service sends it traffic. */
const NEVER = 'kindproof.dev/never';

export interface StandInPod {
  /** Whether a TCP connection is accepted within 5 s. */
  connects(host: string, port: number): Promise<boolean>;
}

/**
 * Starts one, and deletes it when the check ends. No controller adopts it, because it has one already: a ConfigMap, which does nothing.
 *
 * @throws InfrastructureError `E_OWN_POD` when it does not run
 */
export async function startStandIn(
  lab: Lab,
  wanted: { name: string; namespace: string; labels: Readonly<Record<string, string>> },
): Promise<StandInPod> {
  const { kube } = lab;
  const { name, namespace, labels } = wanted;
  const ref = { name, namespace };
  lab.defer(`delete ConfigMap ${name}`, () => kube.teardown.delete('ConfigMap', ref));
  lab.defer(`delete pod ${name}`, () => kube.teardown.delete('Pod', ref, { gracePeriodSeconds: 0 }));
  const { metadata } = await kube.create({
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { ...ref, labels: lab.labels },
  });
  const owner = { apiVersion: 'v1', kind: 'ConfigMap', name, uid: metadata.uid ?? '', controller: true };
  const spec = barePodSpec(name, { image: busyboxImage.ref });
  await kube.create({
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: {
      ...ref,
      labels: { ...labels },
      ownerReferences: [owner],
    },
    spec: {
      ...spec,
      // A namespace may enforce the Pod Security Standard restricted.
      securityContext: { runAsNonRoot: true, runAsUser: 65534, seccompProfile: { type: 'RuntimeDefault' } },
      containers: spec.containers.map((one) => ({
        ...one,
        securityContext: { allowPrivilegeEscalation: false, capabilities: { drop: ['ALL'] } },
      })),
      readinessGates: [{ conditionType: NEVER }],
      restartPolicy: 'Never',
    },
  });
  try {
    await waitFor<undefined>({
      what: `pod ${name} to run`,
      timeoutMs: 120_000,
      look: async () => {
        const phase = (await kube.get('Pod', ref))?.status?.phase;
        return phase === 'Running'
          ? { done: true, value: undefined }
          : { done: false, seen: phase ?? 'no pod' };
      },
    });
  } catch (error) {
    if (!(error instanceof WaitTimeout)) throw error;
    throw new InfrastructureError('E_OWN_POD', `pod ${name} of the check did not start: ${error.message}`, {
      cause: error,
    });
  }
  return {
    async connects(host, port) {
      const command = ['busybox', 'nc', '-w', '5', host, String(port), '-e', '/bin/true'];
      return (await kube.exec({ namespace, pod: name, command, timeoutMs: 60_000 })).exitCode === 0;
    },
  };
}
