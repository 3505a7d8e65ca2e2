import { describe, expect, it } from 'vitest';
import type { KubeObject, Pod } from '../../harness/kube/api/types.ts';
import { Recording } from '../../harness/observe/recorder/recording.ts';
import { makeEvent, makePod } from '../../harness/testing/sample-world.ts';
import {
  countedAnswers,
  evictions,
  probeEffects,
  silentControls,
  type ControlRecord,
  type PairedAnswer,
} from './beside-controls.ts';

const TIMEOUT = 'Get "http://10.0.0.1:3000/ready": context deadline exceeded (Client.Timeout exceeded)';
const STATUS = 'HTTP probe failed with statuscode: 503';

const pod = (isReady: boolean, statuses: Parameters<typeof makePod>[0]['statuses'] = [{}]): Pod =>
  makePod({ conditions: [{ type: 'Ready', status: isReady ? 'True' : 'False' }], statuses });
const ready = pod(true);
const unready = pod(false);
const failed = (probe: string, text: string): KubeObject =>
  makeEvent({ reason: 'Unhealthy', message: `${probe} probe failed: ${text}` });
const killed = makeEvent({
  reason: 'Killing',
  type: 'Normal',
  message: 'Container app failed liveness probe, will be restarted',
});
const restarted = (reason: string): Pod =>
  pod(true, [{ restartCount: 1, lastState: { terminated: { exitCode: 137, reason } } }]);

function recordingOf(objects: readonly KubeObject[]): Recording {
  return new Recording(objects.map((object, seq) => ({ seq, at: seq, type: 'MODIFIED' as const, object })));
}

/** Judged with a control that ran from a position of the recording on. */
function judged(
  objects: readonly KubeObject[],
  { from = 0, trouble, node = 'n1' }: { from?: number } & Partial<ControlRecord> = {},
) {
  return probeEffects(recordingOf(objects), [ready], { from, records: [{ node, trouble }] });
}

describe('probeEffects', () => {
  const timedOut = [ready, failed('Readiness', TIMEOUT), unready];

  it('finds nothing in failed probes that led to nothing, nor before the first readiness', () => {
    const nothing = { broken: [], undecided: [], excused: new Set() };
    expect(judged([ready, failed('Liveness', TIMEOUT), failed('Readiness', STATUS)])).toEqual(nothing);
    expect(judged([unready, failed('Readiness', STATUS), ready])).toEqual(nothing);
  });

  it.each([
    ['the application answered', [ready, failed('Readiness', STATUS), unready]],
    ['it answered once', [ready, failed('Readiness', TIMEOUT), failed('Readiness', STATUS), unready]],
    ['no probe failed: the process ended', [ready, unready]],
  ])('counts in any case when %s', (_title, objects) => {
    // Each event of the API has a name of its own.
    const named = objects.map((object, i) =>
      object.kind === 'Event' ? { ...object, metadata: { ...object.metadata, name: `e-${i}` } } : object,
    );
    const { broken, undecided } = judged(named, { from: 9, trouble: 'it is gone' });
    expect(broken).toEqual([expect.stringMatching(/^web-1 was not ready \(/)]);
    expect(undecided).toEqual([]);
  });

  it('counts a probe without an answer only beside a control that passed all of its own', () => {
    expect(judged(timedOut)).toMatchObject({
      broken: [
        'web-1 was not ready (not ready): a probe got no answer in time, while the control pod on n1 passed every probe',
      ],
      undecided: [],
    });
  });

  it.each([
    ['failed as well', { trouble: 'it is gone' }, /neither did the control pod on n1: it is gone$/],
    ['ran later', { from: 3 }, /before a control pod ran on n1$/],
    ['runs elsewhere', { node: 'n2' }, /no control pod runs on n1$/],
  ])('is undecided when the control %s', (_title, control, reason) => {
    expect(judged(timedOut, control)).toMatchObject({
      broken: [],
      undecided: [expect.stringMatching(reason)],
    });
  });

  it('is undecided when the node was silent', () => {
    const silent = makeEvent({ reason: 'NodeNotReady', message: 'Node is not ready' });
    expect(judged([ready, silent, unready], { trouble: 'it is gone' }).undecided).toHaveLength(1);
  });

  it('takes a first failure that arrives after its effect as the cause', () => {
    const late = [ready, unready, failed('Readiness', TIMEOUT)];
    expect(judged(late, { trouble: 'it is gone' }).undecided).toHaveLength(1);
  });

  it('excuses restarts by a liveness probe without an answer, and the lost readiness after it', () => {
    const objects = [ready, failed('Liveness', TIMEOUT), killed, unready, restarted('Error')];
    const { broken, undecided, excused } = judged(objects, { trouble: 'it is gone' });
    expect(broken).toEqual([]);
    expect(undecided).toHaveLength(2);
    expect([...excused]).toEqual(['web-1']);
  });

  it.each([
    ['an OOM kill', [failed('Liveness', TIMEOUT), killed, restarted('OOMKilled')]],
    ['an answer that was wrong', [failed('Liveness', STATUS), killed, restarted('Error')]],
    ['no liveness probe', [restarted('Error')]],
  ])('excuses no restart after %s', (_title, objects) => {
    expect(judged([ready, ...objects], { trouble: 'it is gone' }).excused.size).toBe(0);
  });
});

describe('evictions', () => {
  it.each([
    ['Usage of EmptyDir volume "tmp" exceeds the limit "1Mi".', { broken: 1, undecided: 0 }],
    ['The node was low on resource: ephemeral-storage.', { broken: 0, undecided: 1 }],
  ])('%s', (message, count) => {
    const recording = recordingOf([ready, makeEvent({ reason: 'Evicted', message })]);
    const { broken, undecided } = evictions(recording, new Set(['web-1']));
    expect({ broken: broken.length, undecided: undecided.length }).toEqual(count);
    expect([...broken, ...undecided]).toEqual([`web-1 was evicted: ${message}`]);
  });

  it('of other pods do not count', () => {
    const recording = recordingOf([ready, makeEvent({ reason: 'Evicted', message: 'too much' })]);
    expect(evictions(recording, new Set(['other']))).toEqual({ broken: [], undecided: [] });
  });
});

describe('paired calls', () => {
  const pair = (status: number | undefined, isControlAnswered: boolean): PairedAnswer => ({
    node: 'n1',
    what: 'web-1 /ready',
    status,
    isControlAnswered,
  });

  it('count unless both are lost', () => {
    const pairs = [pair(200, true), pair(503, false), pair(undefined, true), pair(undefined, false)];
    expect(countedAnswers(pairs).map(({ status }) => status)).toEqual([200, 503, 0]);
  });

  it('show nothing when the control answers fewer than half of them', () => {
    expect(silentControls([pair(200, true), pair(200, false)])).toEqual([]);
    expect(silentControls([pair(200, true), pair(200, false), pair(200, false)])).toEqual([
      'the control pod on n1 answered 1 of 3 calls',
    ]);
  });
});
