import { describe, expect, it } from 'vitest';
import type { FoundTool, RegistryApi } from './api-client.ts';
import { expectedAnswer, registerGradedTools } from './graded-tools.ts';

const tools = (...similarities: number[]): FoundTool[] =>
  similarities.map((similarity, index) => ({ name: `t${index}`, similarity }));

describe('expectedAnswer', () => {
  const all = tools(0.95, 0.91, 0.9, 0.8, 0.6);

  it.each([
    [0.9, 100, ['t0', 't1', 't2']],
    [0.9, 2, ['t0', 't1']],
    [0, 4, ['t0', 't1', 't2', 't3']],
  ])('threshold %d and limit %d', (threshold, limit, names) => {
    expect(expectedAnswer(all, { threshold, limit }).map(({ name }) => name)).toEqual(names);
  });

  it.each([
    ['everything', all, 0.5],
    ['nothing', all, 0.99],
    ['nothing of nothing', [], 0.5],
  ])('refuses to judge by a search that leaves %s', (_what, found, threshold) => {
    expect(() => expectedAnswer(found, { threshold, limit: 100 })).toThrow(/leave \d of \d tools/);
  });
});

it('registers more tools than the default limit, each described differently', async () => {
  const registered = new Map<string, string>();
  const api: Partial<RegistryApi> = {
    register: ({ name, description }) => Promise.resolve(registered.set(name, description).size),
  };
  await registerGradedTools(api as RegistryApi);
  expect(registered.size).toBeGreaterThan(5);
  expect(new Set(registered.values()).size).toBe(registered.size);
});
