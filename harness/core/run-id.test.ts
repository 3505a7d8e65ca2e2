import { expect, it } from 'vitest';
import { newRunId, runOfNamespace } from './run-id.ts';

it('sorts by time and is valid in names of namespaces and containers', () => {
  const ids = [new Date(2026, 0, 2, 3, 4), new Date(2026, 0, 2, 13, 4), new Date(2026, 10, 21, 9, 42)].map(
    (at) => newRunId(at),
  );
  expect(ids.toSorted()).toEqual(ids);
  for (const id of ids) expect(id).toMatch(/^\d{4}-\d{4}-[a-z0-9]{3}$/);
  expect(ids[0]).toMatch(/^0102-0304-/);
});

it.each([
  ['kp-0102-0304-abc-toolman-2', '0102-0304-abc'],
  ['kp-0102-0304-abc', '0102-0304-abc'],
  ['kp-0102-0304-abcd', undefined],
  ['kp-probe-12345678', undefined],
  ['kp-desk', undefined],
  ['my-kp-0102-0304-abc', undefined],
])('recognises the run of namespace %s', (namespace, run) => {
  expect(runOfNamespace(namespace)).toBe(run);
});

it('recognises every new run', () => {
  const id = newRunId();
  expect(runOfNamespace(`kp-${id}-toolman`)).toBe(id);
});
