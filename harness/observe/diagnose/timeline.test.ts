import { describe, expect, it } from 'vitest';
import { makeEvent, NOW } from '../../testing/sample-world.ts';
import { timelineOfEvents, timelineOfRecording } from './timeline.ts';

describe('timelineOfEvents', () => {
  it('returns unusual events since the start, in order', () => {
    const events = [
      makeEvent({ reason: 'BackOff', message: 'Back-off restarting', count: 3, secondsAgo: 5 }),
      makeEvent({ type: 'Normal', reason: 'Pulled', message: 'present', secondsAgo: 20 }),
      makeEvent({ reason: 'FailedMount', message: 'no ConfigMap', secondsAgo: 15 }),
      makeEvent({ reason: 'Old', message: 'before', secondsAgo: 500 }),
    ];
    expect(timelineOfEvents(events, NOW - 20_000)).toEqual([
      { afterMs: 5000, text: 'web-1: FailedMount: no ConfigMap' },
      { afterMs: 15_000, text: 'web-1: BackOff ×3: Back-off restarting' },
    ]);
  });
});

describe('timelineOfRecording', () => {
  it('uses times of arrival and counts repetitions', () => {
    const moment = (at: number, text: string) => ({
      at,
      pod: 'web-1',
      kind: 'event' as const,
      text,
      warning: true,
    });
    const recording = {
      changes: [],
      moments: () => [
        moment(1000, 'created'),
        moment(1250, 'FailedScheduling'),
        moment(1500, 'FailedScheduling'),
      ],
    };
    expect(timelineOfRecording(recording)).toEqual([
      { afterMs: 0, text: 'web-1: created' },
      { afterMs: 250, text: 'web-1: FailedScheduling ×2' },
    ]);
  });
});
