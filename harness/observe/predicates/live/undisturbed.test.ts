import { expect, it } from 'vitest';
import { makeEvent, makePod } from '../../../testing/sample-world.ts';
import type { Pod } from '../../../kube/api/types.ts';
import { Recording } from '../../recorder/recording.ts';
import { undisturbed } from './undisturbed.ts';

const state = (restartCount: number, ready: boolean): Pod =>
  makePod({
    phase: 'Running',
    conditions: [{ type: 'Ready', status: ready ? 'True' : 'False' }],
    statuses: [
      {
        ready,
        restartCount,
        state: { running: {} },
        ...(restartCount > 0 && { lastState: { terminated: { exitCode: 1, reason: 'Error' } } }),
      },
    ],
  });

function recordingOf(...states: Pod[]): Recording {
  const recording = new Recording();
  for (const object of states) recording.add({ at: 1, type: 'MODIFIED', object });
  return recording;
}

function withEviction(recording: Recording): Recording {
  const message = 'Usage of EmptyDir volume "tmp" exceeds the limit "1Mi". ';
  recording.add({
    at: 2,
    type: 'ADDED',
    object: makeEvent({ about: { name: 'web-0' }, reason: 'Evicted', message }),
  });
  return recording;
}

it('holds for pods without a restart', () => {
  expect(undisturbed(recordingOf(state(0, true)), [state(0, true)])).toMatchObject({ ok: true });
});

it('reports restarts before the first readiness, which do not count', () => {
  const result = undisturbed(recordingOf(state(0, false), state(1, false), state(1, true)), [state(1, true)]);
  expect(result).toMatchObject({ ok: true });
  expect(result.observed).toContain(
    'web-1/app restarted 1 time before its pod was ready (Error, exit code 1)',
  );
});

it.each([
  [
    'a restart of a ready pod',
    recordingOf(state(0, true), state(1, false)),
    [],
    /web-1\/app restarted \(Error, exit code 1\)/,
  ],
  [
    'the OOM kill of a child process',
    recordingOf(state(0, true)),
    [{ pod: 'web-1', container: 'app', oomKills: 2 }],
    /OOM-killed 2 of its processes/,
  ],
  [
    'an eviction',
    recordingOf(makePod({ name: 'web-0', phase: 'Failed', status: { reason: 'Evicted', message: 'disk' } })),
    [],
    /web-0 was evicted: disk/,
  ],
  [
    'an eviction that only the event of the kubelet shows',
    withEviction(recordingOf(makePod({ name: 'web-0', phase: 'Succeeded' }))),
    [],
    /web-0 was evicted: Usage of EmptyDir volume "tmp" exceeds the limit "1Mi"\./,
  ],
])('names %s', (_, recording, kills, says) => {
  const result = undisturbed(recording, [state(0, true)], kills);
  expect(result.ok).toBe(false);
  expect(result.actual).toMatch(says);
});

it('counts the restarts of pods that are not recorded', () => {
  expect(undisturbed(new Recording(), [state(2, true)]).actual).toBe('web-1/app has restarted 2 times');
  expect(undisturbed(new Recording(), [state(0, true)]).observed).toEqual([
    '0 pods over their whole recording, 1 by their restart counters',
  ]);
});

it('does not hold for no pods', () => {
  expect(undisturbed(new Recording(), []).ok).toBe(false);
});

it('does not blame a pod for a node that ran out of memory', () => {
  const recording = recordingOf(state(0, true));
  const message = 'The node was low on resource: memory. Threshold quantity: 100Mi, available: 50Mi.';
  const object = makeEvent({ about: { name: 'web-1' }, reason: 'Evicted', message });
  recording.add({ at: 2, type: 'ADDED', object });
  const result = undisturbed(recording, [state(0, true)]);
  expect(result).toMatchObject({ ok: true, undecided: [`web-1 was evicted: ${message}`] });
});

it('leaves open who caused a restart by a probe without an answer', () => {
  const recording = recordingOf(state(0, true), state(1, false));
  const result = undisturbed(recording, [state(1, false)], [], new Set(['web-1']));
  expect(result).toMatchObject({ ok: true });
  expect(result.undecided).toEqual([
    'web-1/app restarted (Error, exit code 1), because its liveness probe got no answer in time',
  ]);
});
