import { describe, expect, it } from 'vitest';
import type { Pod } from '../../harness/kube/api/types.ts';
import { Recording } from '../../harness/observe/recorder/recording.ts';
import { makePod, NOW } from '../../harness/testing/sample-world.ts';
import { startedInOrder } from './started-in-order.ts';

const running = { state: { running: { startedAt: '2026-03-01T12:00:00Z' } } };
const created = makePod({ name: 'agent-x' });
delete created.spec.nodeName;
const scheduled = makePod({ name: 'agent-x' });
const started = makePod({ name: 'agent-x', statuses: [running] });
const ready = makePod({
  name: 'agent-x',
  statuses: [{ ...running, ready: true }],
  conditions: [{ type: 'Ready', status: 'True' }],
});

/** The label is set after the first change; nothing depends on how long a step takes. */
function judged(...states: Pod[]): { ok: boolean; actual: string } {
  const other = makePod({ name: 'agent-y' });
  const recording = new Recording(
    [other, ...states].map((object, seq) => ({ seq, at: NOW + seq * 900_000, type: 'MODIFIED', object })),
  );
  return startedInOrder(recording, ready, 0);
}

describe('startedInOrder', () => {
  it.each([
    ['each step in its own change', [created, scheduled, started, ready]],
    ['several steps in one change', [created, ready]],
    ['all steps in one change', [ready]],
  ])('holds with %s', (_title, states) => {
    expect(judged(...states)).toMatchObject({ ok: true });
  });

  it.each([
    ['never became ready', [created, scheduled, started], /never recorded as ready/],
    ['is not in the recording', [], /never recorded as created/],
  ])('fails for a pod that %s', (_title, states, actual) => {
    const result = judged(...states);
    expect(result.ok).toBe(false);
    expect(result.actual).toMatch(actual);
  });

  it('fails for a pod that was there before the label', () => {
    const recording = new Recording([{ seq: 0, at: NOW, type: 'ADDED', object: ready }]);
    expect(startedInOrder(recording, ready, 0)).toMatchObject({
      ok: false,
      actual: 'it was created before the label',
    });
  });
});
