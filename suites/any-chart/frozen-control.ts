/** A pod of the check with the times of the probes of a subject, on the same node, to be frozen at the same moment. */
import { cgroupOf } from '../../clusters/nodes/container-cgroup.ts';
import { busyboxImage } from '../../fixtures/images/build.ts';
import { InfrastructureError } from '../../harness/core/errors.ts';
import type { Pod } from '../../harness/kube/api/types.ts';
import type { NodeAccess } from '../../harness/kube/cluster/cluster.ts';
import { failuresOf, type FrozenProbe } from '../../harness/observe/predicates/live/frozen-probe.ts';
import { probeLike, serveOn, startControlPod } from '../../harness/run/suite/control-pod.ts';
import type { Lab } from '../../harness/run/suite/lab.ts';
import { notAboutSubject } from '../../harness/run/suite/not-about-subject.ts';

const FIRST_PORT = 8080;

export interface FrozenControl {
  freeze(): Promise<void>;
  /**
   * Failures of the probe that has the times of the subject's probe of this position.
   *
   * @throws InfrastructureError `E_CONTROL` when the control is gone
   */
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
  const pod = await startControlPod(kube, { namespace, name, node, image: busyboxImage.ref }, (bare) =>
    probes.map(({ probe }, index) => ({
      ...bare,
      name: nameOf(index),
      command: serveOn(FIRST_PORT + index),
      readinessProbe: probeLike(probe, FIRST_PORT + index),
    })),
  );
  return {
    async freeze() {
      await notAboutSubject('E_CONTROL', 'the control could not be frozen', async () => {
        for (const index of probes.keys()) await (await cgroupOf(access, pod, nameOf(index))).freeze();
      });
    },
    async failures(index) {
      const now = await kube.get('Pod', { namespace, name });
      const phase = now?.status?.phase ?? 'gone';
      if (now?.metadata.uid !== pod.metadata.uid || phase !== 'Running')
        throw new InfrastructureError(
          'E_CONTROL',
          `the control pod on ${node} does not run any more: ${phase}`,
          {
            hint: 'Run again when the machine does nothing else.',
          },
        );
      const fieldSelector = `reason=Unhealthy,involvedObject.name=${name}`;
      const events = await kube.list('Event', { namespace, fieldSelector });
      return failuresOf(events, { container: nameOf(index), name: 'readinessProbe' });
    },
  };
}

function nameOf(index: number): string {
  return `probe-${index}`;
}
