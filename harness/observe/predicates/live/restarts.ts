/** No restart and no OOM kill, over the whole recording. */
import type { Pod } from '../../../kube/api/types.ts';
import type { Recording } from '../../recorder/recording.ts';
import type { PredicateResult } from '../result.ts';

/** OOM kills by the counter of a container's cgroup: the only trace of a killed child process. */
export interface CgroupKills {
  pod: string;
  container: string;
  oomKills: number;
}

/** No container of these pods restarted or was OOM-killed, according to the recording, the present status and the cgroups. */
export function noRestartsNoOom(
  recording: Pick<Recording, 'restarts' | 'oomKills'>,
  pods: readonly Pod[],
  kills: readonly CgroupKills[] = [],
): PredicateResult {
  const names = new Set(pods.map((p) => p.metadata.name));
  const recorded = recording.restarts().filter((r) => names.has(r.pod));
  const statuses = pods.flatMap((pod) =>
    [...(pod.status?.initContainerStatuses ?? []), ...(pod.status?.containerStatuses ?? [])].map(
      (status) => ({ pod: pod.metadata.name, status }),
    ),
  );
  // A restart before the recording started shows in the counter alone.
  const unrecorded = statuses.filter(
    ({ pod, status }) =>
      status.restartCount > 0 && !recorded.some((r) => r.pod === pod && r.container === status.name),
  );
  const recordedKills = recording.oomKills().filter((k) => names.has(k.pod));
  const counted = kills.filter((k) => k.oomKills > 0);
  const details = [
    ...recorded.map(
      (r) => `${r.pod}/${r.container} restarted (${r.reason}, exit code ${r.exitCode ?? 'unknown'})`,
    ),
    ...unrecorded.map(
      ({ pod, status }) => `${pod}/${status.name} has restarted ${status.restartCount} times`,
    ),
    ...recordedKills.map((k) => `${k.pod}/${k.container} was OOM-killed`),
    ...counted.map(
      (k) => `${k.pod}/${k.container}: the kernel killed ${k.oomKills} of its processes for memory`,
    ),
  ];
  const examined = `${statuses.length} containers of ${pods.length} pods`;
  return {
    ok: statuses.length > 0 && details.length === 0,
    expected: 'no restart and no OOM kill',
    actual: details.length === 0 ? `none in ${examined}` : `${details.length} in ${examined}`,
    observed: [
      `${examined}: restart counters and recording`,
      ...(kills.length > 0 ? [`OOM counters of ${kills.length} cgroups`] : []),
    ],
    details,
  };
}
