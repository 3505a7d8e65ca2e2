/** What happened before, while and after the init containers ran. */
import { seconds } from '../../../core/deadline.ts';
import type { Pod } from '../../../kube/api/types.ts';
import type { Recording } from '../../recorder/recording.ts';
import type { PredicateResult } from '../result.ts';
import { initEndedBeforeMain } from './order.ts';

/** Every init container of the pod ended with 0, one after the other, before the first main container started. */
export function initOrder(pod: Pod, recording?: Pick<Recording, 'changes'>): PredicateResult {
  const inits = (pod.spec.initContainers ?? []).filter((c) => c.restartPolicy !== 'Always');
  const details: string[] = [];
  const observed: string[] = [];
  let before = '';
  for (const { name } of inits) {
    const status = pod.status?.initContainerStatuses?.find((s) => s.name === name);
    const ended = status?.state?.terminated;
    if (!ended) details.push(`init container ${name} has not ended`);
    else if (ended.exitCode !== 0)
      details.push(`init container ${name} ended with exit code ${ended.exitCode}`);
    else observed.push(`init container ${name} ended with 0 at ${ended.finishedAt ?? 'an unknown time'}`);
    if (status && status.restartCount > 0)
      details.push(`init container ${name} needed ${status.restartCount} restarts`);
    if (ended?.startedAt !== undefined && ended.startedAt < before)
      details.push(`init container ${name} started before the previous one had ended`);
    before = ended?.finishedAt ?? before;
  }
  for (const { name, state } of pod.status?.containerStatuses ?? []) {
    const started = state?.running?.startedAt ?? state?.terminated?.startedAt;
    if (started === undefined) details.push(`container ${name} has not started`);
    // API times are whole seconds: equal times are no violation, the recording decides below.
    else if (started < before)
      details.push(
        `container ${name} started at ${started}, before the init containers had ended at ${before}`,
      );
    else observed.push(`container ${name} started at ${started}`);
  }
  const recorded = recording && initEndedBeforeMain(recording, pod.metadata.name);
  if (recorded) (recorded.ok ? observed : details).push(`recording: ${recorded.actual}`);
  return {
    ok: inits.length > 0 && details.length === 0,
    expected: `${pod.metadata.name}: init containers ${inits.map((c) => c.name).join(', ') || '(at least one)'} end with 0 before the others start`,
    actual:
      inits.length === 0
        ? 'the pod has no init container'
        : details.length === 0
          ? 'in that order'
          : (details[0] ?? ''),
    observed,
    details,
  };
}

/**
 * A pod became a ready endpoint of the Service only after its init containers had ended: before, it would serve requests without what they
 * prepare.
 *
 * @param pods names; each has to have been a ready endpoint at some time, or nothing was seen
 */
export function trafficAfterInit(
  recording: Pick<Recording, 'endpointsOf' | 'podHistory'>,
  service: string,
  pods: readonly string[],
): PredicateResult {
  const endpoints = recording.endpointsOf(service);
  const details: string[] = [];
  const observed: string[] = [];
  for (const pod of pods) {
    const first = endpoints.find(({ ready }) => ready.has(pod));
    const end = recording.podHistory(pod).find(({ object }) => initsSucceeded(object));
    if (!first) details.push(`${pod} never was a ready endpoint of Service ${service}`);
    else if (!end || end.seq > first.seq)
      details.push(
        `${pod} was a ready endpoint of Service ${service} while its init containers had not ended`,
      );
    else
      observed.push(`${pod} got traffic ${seconds(first.at - end.at)} after its init containers had ended`);
  }
  return {
    ok: pods.length > 0 && details.length === 0,
    expected: `Service ${service} sends traffic to a pod only after its init containers have ended`,
    actual: details[0] ?? `true for ${pods.length} pods`,
    observed,
    details,
  };
}

function initsSucceeded({ spec, status }: Pod): boolean {
  const inits = (spec.initContainers ?? []).filter((c) => c.restartPolicy !== 'Always');
  const statuses = status?.initContainerStatuses ?? [];
  return (
    inits.length > 0 &&
    inits.every(({ name }) => statuses.find((s) => s.name === name)?.state?.terminated?.exitCode === 0)
  );
}
