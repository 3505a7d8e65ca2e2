import { describe, expect, it } from 'vitest';
import { makePod } from '../../../testing/sample-world.ts';
import { Recording } from '../../recorder/recording.ts';
import { noRestartsNoOom } from './restarts.ts';

describe('noRestartsNoOom', () => {
  const quiet = { restarts: () => [], oomKills: () => [] };
  const pod = makePod({ statuses: [{ ready: true }] });
  it.each([
    ['no restart', pod, [], true],
    ['a restart before the recording', makePod({ statuses: [{ restartCount: 1 }] }), [], false],
    [
      'a killed child process that only the cgroup counts',
      pod,
      [{ pod: 'web-1', container: 'app', oomKills: 1 }],
      false,
    ],
    ['no containers', makePod({}), [], false],
  ])('%s', (_, one, kills, ok) => {
    expect(noRestartsNoOom(quiet, [one], kills).ok).toBe(ok);
  });
  it('reports recorded restarts and OOM kills', () => {
    const recording = new Recording();
    const at = 1;
    recording.add({ at, type: 'ADDED', object: makePod({ statuses: [{ state: { running: {} } }] }) });
    recording.add({
      at,
      type: 'MODIFIED',
      object: makePod({
        statuses: [
          {
            restartCount: 1,
            lastState: { terminated: { exitCode: 137, reason: 'OOMKilled' } },
            state: { running: {} },
          },
        ],
      }),
    });
    expect(noRestartsNoOom(recording, [pod]).details).toEqual([
      'web-1/app restarted (OOMKilled, exit code 137)',
      'web-1/app was OOM-killed',
    ]);
  });
});
