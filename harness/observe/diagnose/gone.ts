/** What failed and is gone: hooks that helm deleted, pods that their Job deleted. Only the recording still has them. */
import type { KubeObject, Pod, Workload } from '../../kube/api/types.ts';
import { uidOf } from '../../kube/api/objects.ts';
import { isOwnedBy } from '../../kube/api/workload-pods.ts';
import type { RecordedChange } from '../recorder/change.ts';
import type { Recording } from '../recorder/recording.ts';
import type { World } from './world.ts';
import { containerStatuses, logKey } from './world.ts';

/**
 * The world with the failed Jobs and pods that were deleted, in their last state before the deletion, and with their logs.
 *
 * @param since ms since the epoch: what was deleted earlier belongs to another check
 */
export function withGone(world: World, recording: Pick<Recording, 'changes' | 'logOf'>, since = 0): World {
  const last = new Map<string, RecordedChange>();
  // Its deletion is not what is wrong with a pod.
  const alive = new Map<string, Pod>();
  for (const change of recording.changes) {
    const { kind, metadata } = change.object;
    if (kind !== 'Pod' && kind !== 'Job') continue;
    last.set(uidOf(change.object), change);
    if (kind === 'Pod' && change.type !== 'DELETED' && metadata.deletionTimestamp === undefined)
      alive.set(uidOf(change.object), change.object as Pod);
  }
  const deleted = [...last.values()].filter(({ type, at }) => type === 'DELETED' && at >= since);
  const pods = deleted.flatMap(({ object }) => alive.get(uidOf(object)) ?? []);
  const isLive = (job: Workload): boolean =>
    world.workloads.some(({ kind, metadata }) => kind === 'Job' && metadata.name === job.metadata.name);
  const jobs = deleted
    .filter(({ object }) => object.kind === 'Job')
    .map(({ object }) => object as Workload)
    // A new Job of that name has taken its place.
    .filter((job) => !isLive(job) && !has(job, 'Complete'))
    .filter((job) => has(job, 'Failed') || isDeletedWhenItFails(job));
  const owners = [...jobs, ...world.workloads.filter((w) => w.kind === 'Job' && has(w, 'Failed'))];
  const gone = pods.filter((pod) => {
    if (pod.status?.phase === 'Succeeded') return false;
    return isDeletedWhenItFails(pod) || owners.some((job) => isOwnedBy(pod, job));
  });
  if (jobs.length === 0 && gone.length === 0) return world;
  const logs = new Map(world.logs);
  for (const pod of gone)
    for (const { name } of containerStatuses(pod)) {
      const text = recording.logOf(pod.metadata.name, name);
      if (text !== undefined) logs.set(logKey(pod.metadata.name, name, false), text);
    }
  return {
    ...world,
    workloads: [...world.workloads, ...jobs],
    pods: [...world.pods, ...gone],
    logs,
    gone: new Set([...jobs, ...gone].map(uidOf)),
  };
}

function has({ status }: Workload, type: string): boolean {
  return (status?.conditions ?? []).some((one) => one.type === type && one.status === 'True');
}

/** Helm deletes such a hook when it fails, and when it does not end in time. */
export function isDeletedWhenItFails({ metadata }: KubeObject): boolean {
  const { 'helm.sh/hook': hook, 'helm.sh/hook-delete-policy': policy = '' } = metadata.annotations ?? {};
  return hook !== undefined && policy.includes('hook-failed');
}
