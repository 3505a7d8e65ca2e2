/** Deletes pods and judges by the recording how they end. */
import { runningContainersOf } from '../../clusters/nodes/container-memory.ts';
import { InfrastructureError } from '../../harness/core/errors.ts';
import type { Pod } from '../../harness/kube/api/types.ts';
import { gracefulEnds, isEndRecorded } from '../../harness/observe/predicates/live/graceful-ends.ts';
import { podGone } from '../../harness/observe/waits/pod-end.ts';
import { expect } from '../../harness/run/suite/assertions.ts';
import type { Release } from '../../harness/run/suite/release.ts';

/**
 * Deletes pods of a release at the same time, waits until they are gone, and expects that every container ended by itself.
 *
 * @param observe records one fact for each pod
 * @throws CheckFailure when a container had to be killed, or a preStop hook failed
 * @throws InfrastructureError when the recording has the end of none of them
 */
export async function endGracefully(
  release: Release,
  pods: readonly Pod[],
  observe: (fact: string) => void,
): Promise<void> {
  const { kube } = release;
  await Promise.all(
    pods.map(async (pod) => {
      const { name, namespace } = pod.metadata;
      await kube.delete('Pod', { name, namespace });
      await podGone(kube, pod, { timeoutMs: ((pod.spec.terminationGracePeriodSeconds ?? 30) + 90) * 1000 });
    }),
  );
  const recording = await release.settleRecording();
  let recorded = 0;
  for (const pod of pods) {
    const { name } = pod.metadata;
    const containers = runningContainersOf(pod);
    if (!isEndRecorded(recording, pod, containers)) {
      observe(`the recording does not show how ${name} ended`);
      continue;
    }
    recorded += 1;
    await expect(gracefulEnds(recording, pod, containers)).toHold();
    observe(`${name} was deleted and ended by itself`);
  }
  if (recorded === 0)
    throw new InfrastructureError('E_NOT_RECORDED', 'the recording shows the end of no deleted pod');
}
