import { describe, expect, it } from 'vitest';
import { makePod } from '../../../testing/sample-world.ts';
import type { ContainerState, Pod } from '../../../kube/api/types.ts';
import { Recording } from '../../recorder/recording.ts';
import { initEndedBeforeMain, podEndedBeforePodStarted } from './order.ts';

const second = (s: number): string => `2026-01-01T00:00:${String(s).padStart(2, '0')}Z`;
const running = (from: number): ContainerState => ({ running: { startedAt: second(from) } });
const ended = (exitCode: number, from: number, to: number): ContainerState => ({
  terminated: { exitCode, startedAt: second(from), finishedAt: second(to) },
});
const notYet: ContainerState = { waiting: { reason: 'PodInitializing' } };
const record = (...pods: Pod[]): Recording =>
  new Recording(pods.map((object, seq) => ({ seq, at: seq, type: 'MODIFIED' as const, object })));

describe('initEndedBeforeMain', () => {
  const both = (init: ContainerState, main: ContainerState): Pod =>
    makePod({
      spec: { initContainers: [{ name: 'migrate', image: 'i' }] },
      inits: [{ name: 'migrate', state: init }],
      statuses: [{ state: main }],
    });
  it.each<[string, Pod[], boolean, RegExp]>([
    [
      'init container first',
      [both(ended(0, 1, 3), notYet), both(ended(0, 1, 3), running(4))],
      true,
      /before app started/,
    ],
    ['both in one second, in one state', [both(ended(0, 1, 3), running(3))], true, /before app started/],
    [
      'both in one second, app recorded first',
      [both(running(1), running(3)), both(ended(0, 1, 3), running(3))],
      false,
      /seen running before/,
    ],
    [
      'app first',
      [both(running(1), running(2)), both(ended(0, 1, 3), running(2))],
      false,
      /after app started/,
    ],
    [
      'app crashed before',
      [both(ended(0, 3, 4), { terminated: { exitCode: 1, startedAt: second(2) } })],
      false,
      /after app started/,
    ],
    ['init container failed', [both(ended(1, 1, 2), notYet)], false, /never ended with exit code 0$/],
    ['init container failed, app started', [both(ended(1, 1, 2), running(3))], false, /yet app started/],
    ['app not started yet', [both(ended(0, 1, 2), notYet)], true, /no main container .* has started/],
    ['no init container', [makePod({ statuses: [{ state: running(1) }] })], false, /has no init container/],
    ['no such pod', [makePod({ name: 'other' })], false, /no pod web-1/],
  ])('%s', (_title, states, ok, actual) => {
    const result = initEndedBeforeMain(record(...states), 'web-1');
    expect(result.ok).toBe(ok);
    expect(result.actual).toMatch(actual);
  });
});

describe('podEndedBeforePodStarted', () => {
  it.each<[string, string, number, number, boolean, RegExp]>([
    ['the Job ended before', 'job-1', 3, 4, true, /^job-1 ended with 0 before app of web-1 started/],
    ['the Job ended after', 'job-1', 5, 4, false, /^app ended at .* after app started/],
    ['no such pod', 'job-2', 3, 4, false, /the recording has no pod job-2/],
  ])('%s', (_title, first, end, start, ok, actual) => {
    const recording = record(
      makePod({ name: 'job-1', statuses: [{ state: ended(0, 1, end) }] }),
      makePod({ statuses: [{ state: running(start) }] }),
    );
    const result = podEndedBeforePodStarted(recording, first, 'web-1');
    expect(result.ok).toBe(ok);
    expect(result.actual).toMatch(actual);
  });
});
