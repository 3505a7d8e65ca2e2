/** Pods that are being deleted and do not go. */
import type { Pod } from '../../kube/api/types.ts';
import { HINT } from './hints.ts';
import { count, listed, timeOf } from '../../core/wording.ts';
import type { PodTrouble } from './world.ts';
import { RANK } from './world.ts';

/** Longer than this after the request, an ending pod is worth a word. */
const UNREMARKABLE_MS = 3000;

/** The API's deletionTimestamp is the request's time plus the grace period: when the kubelet will kill. */
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
      says: `had to be killed (exit code 137): container ${killed.name} did not end within its ${graceMs / 1000} s of grace`,
      upstream: [],
      hint: HINT.sigterm,
      rank: RANK.terminating,
    };
  }
  if (running.length === 0 || since < UNREMARKABLE_MS) return undefined;
  const left = Math.max(0, Math.round((killAt - now) / 1000));
  const fate = left > 0 ? `it will be killed in ${left} s` : 'its grace is over';
  return {
    says: `is being deleted for ${Math.round(since / 1000)} s and ${count(running.length, 'container')} still ${running.length === 1 ? 'runs' : 'run'} (${listed(running)}): SIGTERM is ignored or the work takes long; ${fate}`,
    upstream: [],
    hint: HINT.sigterm,
    rank: RANK.terminating,
  };
}
