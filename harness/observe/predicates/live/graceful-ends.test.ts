import { expect, it } from 'vitest';
import { ago, makePod } from '../../../testing/sample-world.ts';
import { Recording } from '../../recorder/recording.ts';
import { gracefulEnds } from './graceful-ends.ts';

const running = makePod({ statuses: [{ state: { running: { startedAt: ago(60) } } }] });

function recordingOf(exitCode: number | undefined, event?: string): Recording {
  const recording = new Recording();
  recording.add({ at: 1, type: 'ADDED', object: running });
  if (exitCode !== undefined) {
    const terminated = { exitCode, startedAt: ago(60), finishedAt: ago(1) };
    recording.add({ at: 2, type: 'MODIFIED', object: makePod({ statuses: [{ state: { terminated } }] }) });
  }
  if (event !== undefined) {
    recording.add({
      at: 3,
      type: 'ADDED',
      object: {
        apiVersion: 'v1',
        kind: 'Event',
        metadata: { name: 'e', uid: 'e' },
        type: 'Warning',
        reason: 'FailedPreStopHook',
        message: event,
        involvedObject: { kind: 'Pod', name: 'web-1' },
      },
    });
  }
  return recording;
}

it.each([
  ['exits with 0', recordingOf(0), true, /nothing is wrong/],
  ['exits on SIGTERM', recordingOf(143), true, /nothing is wrong/],
  [
    'is killed',
    recordingOf(137),
    false,
    /web-1\/app ended with 137: it did not end on SIGTERM and was killed after 30 s/,
  ],
  [
    'has a preStop hook that fails',
    recordingOf(0, 'no such file'),
    false,
    /web-1\/app: its preStop hook failed \(FailedPreStopHook\): no such file; the container got SIGTERM at once/,
  ],
  ['has no recorded end', recordingOf(undefined), false, /selected nothing/],
])('judges a container that %s', (_, recording, ok, says) => {
  const result = gracefulEnds(recording, running, ['app']);
  expect(result.ok).toBe(ok);
  expect(result.actual).toMatch(says);
});

it('names the program of a preStop hook, which the event does not', () => {
  const lifecycle = { preStop: { exec: { command: ['bash', '-c', 'sleep 5'] } } };
  const pod = makePod({ spec: { containers: [{ name: 'app', image: 'a', lifecycle }] } });
  expect(gracefulEnds(recordingOf(0, 'PreStopHook failed'), pod, ['app']).actual).toBe(
    'web-1/app: its preStop hook failed (FailedPreStopHook): the command `bash -c sleep 5`; the container got SIGTERM at once',
  );
});

it('names a shell that passes no signal on', () => {
  const command = ['sh', '-c', 'while true; do sleep 3600; done'];
  const pod = makePod({ spec: { containers: [{ name: 'app', image: 'a', command }] } });
  expect(gracefulEnds(recordingOf(137), pod, ['app']).actual).toMatch(
    /ended with 137: it did not end on SIGTERM and was killed after 30 s; process 1 is a shell without exec or trap/,
  );
});
