/** Whether a probe notices that the processes of its container are frozen. */
import { count } from '../../../core/wording.ts';
import type { KubeEvent, Probe } from '../../../kube/api/types.ts';
import type { DeclaredProbe } from '../../../kube/manifests/model/model.ts';
import { eventCount } from '../../recorder/events.ts';

/** Of a probe, which its container and its kind identify. */
export type FrozenProbe = Pick<DeclaredProbe, 'container' | 'name' | 'probe'>;

const KIND = { livenessProbe: 'Liveness', readinessProbe: 'Readiness', startupProbe: 'Startup' } as const;

/** How often a probe of a pod failed, by the kubelet's events. */
export function failuresOf(
  events: readonly KubeEvent[],
  { container, name }: Omit<FrozenProbe, 'probe'>,
): number {
  return events
    .filter(
      ({ reason, message = '', involvedObject: { fieldPath = '' } }) =>
        reason === 'Unhealthy' &&
        message.includes(`${KIND[name]} probe`) &&
        fieldPath.includes(`{${container}}`),
    )
    .reduce((sum, event) => sum + eventCount(event), 0);
}

/**
 * Whether the probe has to notice a frozen process. The kernel accepts connections for one, so a probe that only opens a port does not:
 * its manifest asks for no more.
 */
export function noticesFreeze({ tcpSocket }: Probe): boolean {
  return tcpSocket === undefined;
}

/** Of one pod, the kubelet reports 25 events in a row, and then one in five minutes (spam filter of client-go's EventRecorder). */
const REPORTED = 20;

/** Seconds from failure to failure: a probe that runs into its timeout delays the next one. */
function paceOf({ periodSeconds = 10, timeoutSeconds = 1 }: Probe): number {
  return Math.max(periodSeconds, timeoutSeconds);
}

/** Failures of the control after which the probe must have failed, too: its patience, its delay, and two for the first round of each. */
function failuresNeeded(probe: Probe): number {
  return (probe.failureThreshold ?? 3) + Math.ceil((probe.initialDelaySeconds ?? 0) / paceOf(probe)) + 2;
}

/** Whether the kubelet reports as many failures as it takes to judge the probe. */
export function canBeCounted(probe: Probe): boolean {
  return failuresNeeded(probe) <= REPORTED;
}

/** Seconds that a failing probe takes to have an effect, at most. */
export function patienceOf(probe: Probe): number {
  return (probe.initialDelaySeconds ?? 0) + (probe.failureThreshold ?? 3) * paceOf(probe);
}

/**
 * Why the probe will not notice the freeze; `undefined` while it may. A control on the same node with the same times, frozen at the same
 * moment, is the clock.
 *
 * @param failed since the freeze, of the probe and of the control's; `all`: all reported failures of the pod; too many hide others
 */
export function blindness(
  { container, name, probe }: FrozenProbe,
  failed: { probe: number; control: number; all: number },
): string | undefined {
  // One failure may be that of a command that ran at the moment of the freeze.
  const mayNotice = failed.probe > 1 || failed.control < failuresNeeded(probe);
  if (mayNotice || failed.all >= REPORTED) return undefined;
  const how = probe.exec ? ` (it runs ${probe.exec.command.join(' ').slice(0, 80)})` : '';
  return `since all processes of container ${container} are frozen, its ${name}${how} has failed ${count(failed.probe, 'time')}, and that of a control ${count(failed.control, 'time')}`;
}
