import { describe, expect, it } from 'vitest';
import type { EndpointsMoment } from '../../recorder/endpoints.ts';
import {
  answeredWithin,
  answeredWithStatus,
  endpointsNeverBelow,
  servedThroughout,
  type TrafficReport,
} from './traffic.ts';

const report = (more: Partial<TrafficReport> = {}): TrafficReport => ({
  sent: 400,
  failed: 0,
  failures: [],
  longestGapMs: 60,
  slowestMs: 120,
  ...more,
});

describe('servedThroughout', () => {
  it('holds when every request was answered', () => {
    expect(servedThroughout(report(), { atLeast: 100 })).toMatchObject({
      ok: true,
      observed: ['0 failed requests of 400, the slowest took 120 ms, the longest gap was 60 ms'],
    });
  });

  it('reports the first failure in actual and all failures in details', () => {
    const failures = [
      { afterMs: 1234, what: 'ConnectionRefusedError' },
      { afterMs: 1300, what: 'HTTP 503' },
    ];
    expect(servedThroughout(report({ failed: 2, failures }), { atLeast: 100 })).toMatchObject({
      ok: false,
      actual: '2 failed requests of 400: ConnectionRefusedError',
      details: ['after 1.2 s: ConnectionRefusedError', 'after 1.3 s: HTTP 503'],
    });
  });

  it('does not hold for too few requests', () => {
    expect(servedThroughout(report({ sent: 99 }), { atLeast: 100 })).toMatchObject({
      ok: false,
      actual: expect.stringMatching(/too few/) as unknown,
    });
  });
});

describe('endpointsNeverBelow', () => {
  const trace = (...sets: [number, string][]): EndpointsMoment[] =>
    sets.map(([seq, names]) => ({ seq, at: seq, ready: new Set(names.split('').filter((n) => n !== ' ')) }));

  it.each<[string, EndpointsMoment[], boolean, string]>([
    [
      'replaced one by one',
      trace([1, 'ab'], [9, 'abc'], [10, 'bc'], [11, 'bcd'], [12, 'cd']),
      true,
      'never fewer than 2',
    ],
    [
      'a pod gone before its replacement was ready',
      trace([1, 'ab'], [9, 'b'], [10, 'bc']),
      false,
      'ready endpoints fell to 1',
    ],
    ['all pods gone at once', trace([1, 'ab'], [9, ''], [10, 'cd']), false, 'ready endpoints fell to 0'],
    ['fewer before the start', trace([1, 'a'], [2, 'ab'], [9, 'abc']), true, 'never fewer than 2'],
    ['no endpoints at the start', trace([7, 'ab']), false, 'the recording has no endpoints at the start'],
    ['no endpoints at all', [], false, 'the recording has no endpoints at the start'],
  ])('%s', (_title, moments, ok, actual) => {
    expect(endpointsNeverBelow(moments, 2, { from: 5 })).toMatchObject({ ok, actual });
  });

  it('names the pods that left', () => {
    expect(endpointsNeverBelow(trace([1, 'ab'], [9, 'b']), 2, { from: 5 }).details).toEqual([
      '1 left when a went',
    ]);
  });
});

describe('answeredWithStatus', () => {
  it('needs every answer, and at least one', () => {
    expect(answeredWithStatus([{ what: '/h', status: 200 }]).ok).toBe(true);
    expect(answeredWithStatus([]).ok).toBe(false);
    expect(
      answeredWithStatus([
        { what: '/h', status: 200 },
        { what: '/h', status: 503 },
      ]),
    ).toMatchObject({ ok: false, actual: '1 of 2 answers 200', details: ['/h: 503 (×1)'] });
  });
});

describe('answeredWithin', () => {
  const answer = (durationMs: number) => ({ what: 'GET /health', status: 200, durationMs });

  it.each([
    ['all in time', [answer(10), answer(1000)], true, '2 answers, the slowest after 1000 ms'],
    ['one late', [answer(10), answer(1001)], false, '1 of 2 answers, the slowest after 1001 ms'],
    ['none at all', [], false, '0 answers, the slowest after 0 ms'],
  ])('%s', (_title, answers, ok, actual) => {
    expect(answeredWithin(answers, 1000)).toMatchObject({ ok, actual });
  });

  it.each([
    ['fewer late answers in a row', [1001, 1001, 10, 1001, 1001], true],
    ['as many late answers in a row', [10, 1001, 1001, 1001], false],
    ['none at all', [], false],
  ])('tolerates late answers like a failureThreshold: %s', (_title, durations, ok) => {
    expect(answeredWithin(durations.map(answer), 1000, 3)).toMatchObject({
      ok,
      expected: 'every answer within 1000 ms, or fewer than 3 others in a row',
    });
  });
});
