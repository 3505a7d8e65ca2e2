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
    /its preStop hook failed: no such file/,
  ],
  ['has no recorded end', recordingOf(undefined), false, /selected nothing/],
])('judges a container that %s', (_, recording, ok, says) => {
  const result = gracefulEnds(recording, running, ['app']);
  expect(result.ok).toBe(ok);
  expect(result.actual).toMatch(says);
});
