/** What a release suffered and a control pod on the same node did not: only that is the release's doing. */
import { isEvictedByNode } from '../../harness/observe/diagnose/explain/eviction.ts';
import { NO_ANSWER_IN_TIME } from '../../harness/observe/diagnose/explain/probe.ts';
import type { StatusAnswer } from '../../harness/observe/predicates/live/traffic.ts';
import type { WarningEvent } from '../../harness/observe/recorder/events.ts';
import type { Recording } from '../../harness/observe/recorder/recording.ts';
import { hasCondition } from '../../harness/kube/api/objects.ts';
import type { KubeEvent, Pod } from '../../harness/kube/api/types.ts';

/** A control pod, by the cluster's record. */
export interface ControlRecord {
  node: string;
  /** What went wrong with it; `undefined`: it ran and passed every probe. */
  trouble: string | undefined;
}

export interface Controls {
  /** Position in the release's recording from which all of them ran. */
  from: number;
  records: readonly ControlRecord[];
}

/** One sentence for each deviation. */
export interface Judgement {
  /** The release's doing. */
  broken: readonly string[];
  /** The machine may be the cause, and no control shows that it was not. */
  undecided: readonly string[];
}

/**
 * Losses of readiness and restarts by the liveness probe. One that follows from an answer of the application counts in any case; one that
 * follows from probes without an answer in time counts when the control on the node passed all of its own meanwhile.
 *
 * @param since position in the recording; earlier ones are not judged
 * @returns with `excused`: names of pods that were restarted only because a probe got no answer in time
 */
export function probeEffects(
  recording: Recording,
  pods: readonly Pod[],
  controls: Controls,
  since = 0,
): Judgement & { excused: ReadonlySet<string> } {
  const broken: string[] = [];
  const undecided: string[] = [];
  const excused = new Set<string>();
  for (const pod of pods) {
    const { name } = pod.metadata;
    const node = pod.spec.nodeName ?? 'no node';
    const control = controls.records.find((record) => record.node === node);
    const { kills, losses } = effectsOn(recording, pod);
    const restarts = recording.restarts().filter((restart) => restart.pod === name);
    const isOom = restarts.some(({ reason }) => reason === 'OOMKilled');
    if (!isOom && restarts.length <= kills.length && kills.some(({ isUnanswered }) => isUnanswered)) {
      excused.add(name);
    }
    for (const { seq, says, isUnanswered } of [...losses, ...kills].filter((effect) => effect.seq >= since)) {
      const late = `${name} ${says}: a probe got no answer in time`;
      if (!isUnanswered) broken.push(`${name} ${says}`);
      else if (seq < controls.from) undecided.push(`${late}, before a control pod ran on ${node}`);
      else if (!control) undecided.push(`${late}, and no control pod runs on ${node}`);
      else if (control.trouble === undefined) {
        broken.push(`${late}, while the control pod on ${node} passed every probe`);
      } else undecided.push(`${late}, and neither did the control pod on ${node}: ${control.trouble}`);
    }
  }
  return { broken, undecided, excused };
}

interface Effect {
  seq: number;
  /** Completes a sentence about the pod. */
  says: string;
  isUnanswered: boolean;
}

function effectsOn(recording: Recording, pod: Pod): { kills: Effect[]; losses: Effect[] } {
  const { name, uid = name } = pod.metadata;
  const history = recording.podHistory(uid);
  const readyAt = history.find(({ object }) => hasCondition(object, 'Ready'))?.at ?? Infinity;
  const warnings = recording.warningEvents({ about: name });
  const failuresOf = (probe: string): WarningEvent[] =>
    warnings.filter(({ reason, message }) => reason === 'Unhealthy' && message.includes(`${probe} probe`));
  const kills = livenessKills(recording, name).map(({ seq, message }) => ({
    seq,
    says: `was killed (${message})`,
    isUnanswered: areUnanswered(failuresOf('Liveness'), seq),
  }));
  // Before the first readiness a probe is expected to fail. The node controller makes the pods of a silent node unready.
  const causes = [
    ...failuresOf('Readiness').filter(({ lastAt }) => lastAt >= readyAt),
    ...warnings.filter(({ reason }) => reason === 'NodeNotReady'),
  ];
  const losses = recording.everUnready(uid).map(({ seq, says }) => {
    const kill = kills.findLast((one) => one.seq < seq);
    const isUnanswered = kill ? kill.isUnanswered : areUnanswered(causes, seq);
    return { seq, says: `was not ready (${says})`, isUnanswered };
  });
  return { kills, losses };
}

/** Whether every failure before an effect was one without an answer. An event may arrive after the effect that it led to. */
function areUnanswered(failures: readonly WarningEvent[], effect: number): boolean {
  const before = failures.filter(({ seq }) => seq < effect);
  const causes = before.length > 0 ? before : failures.slice(0, 1);
  const isUnanswered = ({ reason, message }: WarningEvent): boolean =>
    reason === 'NodeNotReady' || NO_ANSWER_IN_TIME.test(message);
  return causes.length > 0 && causes.every(isUnanswered);
}

/** The kubelet's decisions to restart a container because of its liveness probe, each once. */
export function livenessKills(
  { changes }: Pick<Recording, 'changes'>,
  pod: string,
): { seq: number; message: string; event: KubeEvent }[] {
  const found = new Map<string, { seq: number; message: string; event: KubeEvent }>();
  for (const { object, seq } of changes) {
    if (object.kind !== 'Event') continue;
    const event = object as KubeEvent;
    const { reason, message = '', involvedObject, metadata } = event;
    const isKill = reason === 'Killing' && message.includes('failed liveness probe');
    if (!isKill || involvedObject.name !== pod || found.has(metadata.name)) continue;
    found.set(metadata.name, { seq, message, event });
  }
  return [...found.values()];
}

/**
 * Evictions of pods. The kubelet's events count: a pod that ended within its grace period is Succeeded, with
 * no reason. On a node that runs out of something, the victim may not be the cause.
 *
 * @param pods names of the pods that count, gone ones included
 */
export function evictions(recording: Pick<Recording, 'warningEvents'>, pods: ReadonlySet<string>): Judgement {
  const evicted = recording.warningEvents({ reason: 'Evicted' }).filter(({ name }) => pods.has(name));
  const says = ({ name, message }: WarningEvent): string => `${name} was evicted: ${message.trim()}`;
  return {
    broken: evicted.filter(({ message }) => !isEvictedByNode(message)).map(says),
    undecided: evicted.filter(({ message }) => isEvictedByNode(message)).map(says),
  };
}

/** Two calls at the same time: of a pod of the release, and of the control on its node. */
export interface PairedAnswer {
  node: string;
  /** Names the call of the release. */
  what: string;
  /** The status that the application gave; `undefined` for no answer. */
  status: number | undefined;
  isControlAnswered: boolean;
}

/** The calls that say something about the release: not those that were lost together with the control's. A lost one has status 0. */
export function countedAnswers(pairs: readonly PairedAnswer[]): StatusAnswer[] {
  return pairs
    .filter(({ status, isControlAnswered }) => status !== undefined || isControlAnswered)
    .map(({ what, status = 0 }) => ({ what, status }));
}

/** Controls that answered fewer than half of their calls, so that they show nothing. */
export function silentControls(pairs: readonly PairedAnswer[]): string[] {
  const nodes = [...new Set(pairs.map(({ node }) => node))];
  return nodes.flatMap((node) => {
    const calls = pairs.filter((pair) => pair.node === node);
    const answered = calls.filter(({ isControlAnswered }) => isControlAnswered).length;
    return answered * 2 < calls.length
      ? [`the control pod on ${node} answered ${answered} of ${calls.length} calls`]
      : [];
  });
}
