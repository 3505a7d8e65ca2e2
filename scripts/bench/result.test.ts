import { describe, expect, it } from 'vitest';
import { sampleReport } from '../../harness/testing/sample-report.ts';
import { benchRows } from './result.ts';
import { summarise } from './statistics.ts';
import { bareTable, benchTable } from './table.ts';

describe('summarise', () => {
  it.each([
    [[3], { median: 3, min: 3, max: 3, count: 1 }],
    [[5, 1, 3], { median: 3, min: 1, max: 5, count: 3 }],
    [[4, 1, 2, 9], { median: 3, min: 1, max: 9, count: 4 }],
  ])('summarises %j', (samples, summary) => {
    expect(summarise(samples)).toEqual(summary);
  });

  it('returns undefined for no samples', () => {
    expect(summarise([])).toBeUndefined();
  });
});

const round = { fresh: sampleReport(), reuse: sampleReport(), fiveNodesMs: 60_000 };

describe('benchRows', () => {
  it('contains phases, whole runs, and ratios within a round', () => {
    const rows = benchRows([round, { ...round, fiveNodesMs: 62_000 }]);
    const named = (name: string) => rows.find((r) => r.name === name);
    expect(named('cluster, 4 nodes')).toMatchObject({ median: 48_000, unit: 'ms' });
    expect(named('cluster, 5 nodes')).toMatchObject({ median: 61_000, min: 60_000, max: 62_000 });
    expect(named('load images : cluster')?.median).toBeCloseTo(9.8 / 48);
    expect(named('fresh cluster : --reuse')?.median).toBe(1);
  });

  it('omits what was not measured', () => {
    const bare = sampleReport({ timelines: [], phases: [] });
    const names = benchRows([{ fresh: bare, reuse: bare, fiveNodesMs: 1 }]).map((r) => r.name);
    expect(names).not.toContain('load images');
    expect(names).not.toContain("suite, --reuse : Kubernetes' part");
  });
});

describe('the tables', () => {
  it('align names to the left and numbers to the right', () => {
    const lines = benchTable(benchRows([round])).split('\n');
    expect(lines[0]).toMatch(/^ +median +min +max$/);
    expect(lines[1]).toMatch(/^cluster, 4 nodes +48\.0 s +48\.0 s +48\.0 s$/);
    expect(lines.at(-1)).toMatch(/1\.00 ×$/);
  });

  it('mark concurrent phases of a bare machine', () => {
    const text = bareTable(sampleReport());
    expect(text).toContain('parallel to cluster');
    expect(text.split('\n')[0]).toContain('214.0 s');
  });
});
