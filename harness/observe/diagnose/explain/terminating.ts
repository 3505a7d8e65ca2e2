/** Pods that are terminating for longer than expected. */
import type { Pod } from '../../../kube/api/types.ts';
import { HINT } from './hints.ts';
import { count, listed } from '../../../core/wording.ts';
import { timeOf } from '../../../kube/api/objects.ts';
import type { Cause } from '../diagnosis.ts';
import { allContainers } from './probe.ts';
import { shellAsProcessOne } from './process-one.ts';
import type { PodTrouble } from '../world.ts';
import { RANK } from '../world.ts';

/** A pod that terminates within this time is not reported. */
const EXPECTED_MS = 3000;

/** The deletionTimestamp is the time of the request plus the grace period: then the kubelet kills the containers. */
export function explainTerminating(pod: Pod, now: number): PodTrouble | undefined {
  const killAt = timeOf(pod.metadata.deletionTimestamp);
  if (killAt === undefined) return undefined;
  const graceMs =
    (pod.metadata.deletionGracePeriodSeconds ?? pod.spec.terminationGracePeriodSeconds ?? 30) * 1000;
  const since = now - (killAt - graceMs);
  const finalizers = pod.metadata.finalizers ?? [];
  const statuses = pod.status?.containerStatuses ?? [];
  const running = statuses.filter((s) => s.state?.running).map((s) => s.name);
  if (finalizers.length > 0 && running.length === 0) {
    return {
      says: `is being deleted, but the finalizer ${listed(finalizers)} holds it`,
      upstream: [],
      hint: HINT.finalizer,
      rank: RANK.terminating,
    };
  }
  const killed = statuses.find(
    (s) => s.state?.terminated?.exitCode === 137 && s.state.terminated.reason !== 'OOMKilled',
  );
  if (killed) {
    return {
      says: `had to be killed (exit code 137): container ${killed.name} did not end within its grace period of ${graceMs / 1000} s`,
      upstream: shells(pod, [killed.name]),
      hint: HINT.sigterm,
      rank: RANK.terminating,
    };
  }
  if (running.length === 0 || since < EXPECTED_MS) return undefined;
  const left = Math.max(0, Math.round((killAt - now) / 1000));
  const fate = left > 0 ? `it will be killed in ${left} s` : 'its grace period is over';
  return {
    says: `has been terminating for ${Math.round(since / 1000)} s and ${count(running.length, 'container')} still ${running.length === 1 ? 'runs' : 'run'} (${listed(running)}): it ignores SIGTERM or needs long to finish; ${fate}`,
    upstream: shells(pod, running),
    hint: HINT.sigterm,
    rank: RANK.terminating,
  };
}

/** Containers in which SIGTERM ends at a shell. */
function shells(pod: Pod, containers: readonly string[]): Cause[] {
  return allContainers(pod)
    .filter(({ name }) => containers.includes(name))
    .flatMap((container) => {
      const shell = shellAsProcessOne(container, pod.spec);
      return shell === undefined
        ? []
        : [{ object: `Container ${container.name}`, says: `has as process 1 ${shell}` }];
    });
}
