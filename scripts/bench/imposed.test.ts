import { describe, expect, it } from 'vitest';
import type { PodTimeline } from '../../harness/run/report/model.ts';
import { imposedMs } from './imposed.ts';

type Step = [second: number, pod: string, kind: string, container?: string];

function timeline(...steps: Step[]): PodTimeline {
  const moments = steps.map(([second, pod, kind, container]) => ({
    at: second * 1000,
    pod,
    kind,
    text: kind,
    warning: false,
    ...(container === undefined ? {} : { container }),
  }));
  return {
    suite: 'toolman',
    namespace: 'n',
    title: 'n',
    checks: [],
    startedAt: 0,
    endedAt: 100_000,
    moments,
  };
}

const readyAfter = (pod: string, from: number, to: number): Step[] => [
  [from - 2, pod, 'created'],
  [from, pod, 'started', 'main'],
  [to, pod, 'ready', 'main'],
  [to, pod, 'ready'],
];

describe('imposedMs', () => {
  it('is zero without pods', () => {
    expect(imposedMs([])).toBe(0);
    expect(imposedMs([timeline([0, 'a', 'created'], [1, 'a', 'event'])])).toBe(0);
  });

  it('counts from container start to readiness, without scheduling', () => {
    expect(imposedMs([timeline(...readyAfter('a', 10, 14))])).toBe(4000);
  });

  it('counts pods that start together once, and pods that start one after the other twice', () => {
    expect(imposedMs([timeline(...readyAfter('a', 10, 14), ...readyAfter('b', 11, 16))])).toBe(6000);
    expect(imposedMs([timeline(...readyAfter('a', 10, 14), ...readyAfter('b', 20, 25))])).toBe(9000);
  });

  it('counts a graceful termination only when it was recorded to the end', () => {
    const start = readyAfter('a', 10, 14);
    const end: Step[] = [
      [20, 'a', 'deleting'],
      [27, 'a', 'terminated', 'main'],
      [28, 'a', 'deleted'],
    ];
    expect(imposedMs([timeline(...start, ...end)])).toBe(12_000);
    expect(imposedMs([timeline(...start, [20, 'a', 'deleting'])])).toBe(4000);
  });

  it('counts a restart from the loss of readiness to readiness', () => {
    const restart: Step[] = [
      [30, 'a', 'unready'],
      [40, 'a', 'restarted', 'main'],
      [45, 'a', 'ready'],
    ];
    expect(imposedMs([timeline(...readyAfter('a', 10, 14), ...restart)])).toBe(19_000);
  });

  it('ignores a restart that never became ready', () => {
    expect(imposedMs([timeline([10, 'a', 'started', 'main'], [20, 'a', 'restarted', 'main'])])).toBe(0);
  });

  it('counts the longest of overlapping namespaces and adds the others', () => {
    const side = timeline(...readyAfter('a', 10, 14));
    const longest = timeline(...readyAfter('b', 11, 30));
    const alone = timeline(...readyAfter('c', 50, 55));
    expect(imposedMs([side, longest])).toBe(19_000);
    expect(imposedMs([alone, side, longest])).toBe(24_000);
  });
});
