/** each check has at least one fault that has to turn it red. */
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { beforeAll, describe, expect, it } from 'vitest';
import { listChecks } from '../harness/run/runner/vitest-runner.ts';
import { compile } from '../scripts/compile.mjs';
import { loadAllRequirements, suites } from './index.ts';
import { mutationProof } from './mutation-proof.ts';

const root = join(fileURLToPath(new URL('.', import.meta.url)), '..');

let declared: Awaited<ReturnType<typeof listChecks>>;

beforeAll(async () => {
  // The sources one by one take half a minute to load.
  const file = join(await compile(root), 'suites', 'checks.e2e.mjs');
  declared = await listChecks({ root, projects: suites.map(({ name }) => ({ name, file })) });
}, 120_000);

describe('the mutation proof', () => {
  it('has a fault for every check, and a check for every fault', () => {
    const { withoutFault, withoutCheck } = mutationProof(declared, suites);
    expect({ withoutFault, withoutCheck }).toEqual({ withoutFault: [], withoutCheck: [] });
  });

  const of = (title: string, requirement: string, tag = 'live') => ({
    suite: 'a',
    file: 'a.e2e.ts',
    title,
    requirements: [requirement],
    tags: ['a', tag],
  });
  const faults = (...wanted: [string, string, ('static' | 'live')?][]) => [
    {
      name: 'a',
      faults: wanted.map(([name, requirement, checks]) => ({
        name,
        description: '',
        requirements: [requirement],
        reason: /./,
        ...(checks && { checks }),
      })),
    },
  ];
  const nothing = { withoutFault: [], withoutCheck: [], neverAlone: [] };

  /** The defects that X-10 names: with each of them, the first test is red. */
  const DEFECTS: Record<string, () => { found: unknown; expected: unknown }> = {
    'check-without-a-fault': () => ({
      found: mutationProof([of('runs', 'A-1'), of('answers', 'A-2')], faults(['down', 'A-1'])),
      expected: { ...nothing, withoutFault: ['a.e2e.ts: answers'] },
    }),
    'fault-for-the-other-kind-of-check': () => ({
      found: mutationProof(
        [of('renders', 'A-1', 'static'), of('runs', 'A-1')],
        faults(['down', 'A-1', 'live']),
      ),
      expected: { ...nothing, withoutFault: ['a.e2e.ts: renders'] },
    }),
    'fault-that-no-check-catches': () => ({
      found: mutationProof([of('runs', 'A-1')], faults(['down', 'A-1'], ['mute', 'A-2'])),
      expected: { ...nothing, withoutCheck: ['a/mute'] },
    }),
  };

  it.each(Object.entries(DEFECTS))('is red with the defect %s', (_, defect) => {
    const { found, expected } = defect();
    expect(found).toEqual(expected);
  });

  it('is what the catalogue says of X-10', async () => {
    const row = (await loadAllRequirements()).find(({ id }) => id === 'X-10');
    expect(row?.tested).toEqual({ file: 'suites/mutation-proof.test.ts', faults: Object.keys(DEFECTS) });
  });

  it('names a check that another one may be red in place of', () => {
    const both = [of('runs', 'A-1'), of('renders', 'A-1', 'static')];
    expect(mutationProof(both, faults(['down', 'A-1'])).neverAlone).toHaveLength(2);
    expect(mutationProof(both, faults(['down', 'A-1'], ['bad', 'A-1', 'static'])).neverAlone).toEqual([
      'a.e2e.ts: runs',
    ]);
  });

  it('takes a fault of any suite for a check that several suites run', () => {
    const shared = [of('runs', 'X-1'), { ...of('runs', 'X-1'), suite: 'b' }];
    expect(mutationProof(shared, faults(['down', 'X-1']))).toEqual(nothing);
  });
});
