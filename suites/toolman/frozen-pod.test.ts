import { describe, expect, it } from 'vitest';
import { Recording } from '../../harness/observe/recorder/recording.ts';
import { ago, makeEvent, makePod } from '../../harness/testing/sample-world.ts';
import { blindBeside, probeFailures, unreadyBeforeKilled } from './frozen-pod.ts';

/** The documented thresholds and timeouts, with the periods that the check sets. */
const PROBES = {
  Readiness: { periodSeconds: 2, timeoutSeconds: 3, failureThreshold: 3 },
  Liveness: { periodSeconds: 6, timeoutSeconds: 5, failureThreshold: 3 },
};
const NEVER = { Readiness: 0, Liveness: 0 };

describe('probeFailures', () => {
  it('sums the counts of all events of a probe', () => {
    const failed = (message: string, count: number) => makeEvent({ reason: 'Unhealthy', message, count });
    const events = [
      failed('Readiness probe failed: timeout', 2),
      failed('Readiness probe failed: 503', 1),
      failed('Startup probe failed: refused', 5),
    ];
    expect(probeFailures(events)).toEqual({ Readiness: 3, Liveness: 0 });
  });
});

describe('blindBeside', () => {
  it.each([
    ['Readiness', { Readiness: 0, Liveness: 3 }, undefined],
    [
      'Readiness',
      { Readiness: 0, Liveness: 4 },
      'since the freeze its liveness probe failed 4 times, its readiness probe never',
    ],
    ['Readiness', { Readiness: 1, Liveness: 9 }, undefined],
    ['Liveness', { Readiness: 9, Liveness: 0 }, undefined],
    [
      'Liveness',
      { Readiness: 10, Liveness: 0 },
      'since the freeze its readiness probe failed 10 times, its liveness probe never',
    ],
  ] as const)('%s %j', (probe, now, expected) => {
    expect(blindBeside(probe, PROBES, NEVER, now)).toBe(expected);
  });

  it('counts from the freeze on', () => {
    const before = { Readiness: 2, Liveness: 5 };
    expect(blindBeside('Readiness', PROBES, before, { Readiness: 2, Liveness: 8 })).toBeUndefined();
    expect(blindBeside('Readiness', PROBES, before, { Readiness: 2, Liveness: 9 })).toMatch(/4 times/);
  });
});

describe('unreadyBeforeKilled', () => {
  const pod = (status: 'True' | 'False', lastTransitionTime: string) =>
    makePod({ conditions: [{ type: 'Ready', status, lastTransitionTime }] });
  const ready = pod('True', ago(60));
  const killed = makeEvent({
    reason: 'Killing',
    type: 'Normal',
    message: 'Container app failed liveness probe, will be restarted',
  });
  /** The event says 40 s ago. The order of arrival does not matter. */
  const judged = (unreadyAt: string | undefined, probes = PROBES) => {
    const objects = [ready, killed, ...(unreadyAt === undefined ? [] : [pod('False', unreadyAt)])];
    const changes = objects.map((object, seq) => ({ seq, at: seq, type: 'MODIFIED' as const, object }));
    return unreadyBeforeKilled(new Recording(changes), ready, probes);
  };

  it.each([
    ['before', ago(50), true],
    ['in the same second', ago(40), true],
    ['after', ago(30), false],
    ['never', undefined, false],
  ])('%s', (_title, unreadyAt, ok) => {
    expect(judged(unreadyAt).ok).toBe(ok);
  });

  it('does not ask for the order where liveness is less patient', () => {
    const swapped = { Readiness: PROBES.Liveness, Liveness: PROBES.Readiness };
    expect(judged(ago(30), swapped).ok).toBe(true);
  });
});
