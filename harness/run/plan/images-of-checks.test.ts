import { describe, expect, it } from 'vitest';
import type { Fault, SuiteDefinition } from '../suite/definition.ts';
import { imagesOfChecks, withImagesOfChecks } from './images-of-checks.ts';
import { parseOptions } from './options.ts';
import { planRun, type RunPlan } from './plan.ts';
import type { Selection } from './select-checks.ts';

const image = (name: string): unknown => ({
  name,
  recipe: { ref: `me/${name}:1` },
  override: { containers: [name] },
});

const definition = {
  name: 'app',
  topology: { groups: [] },
  subject: { chart: 'c', values: [], releaseName: 'app', images: [image('app'), image('daemon')] },
  faults: [
    { name: 'live', requirements: ['T-2'], checks: 'live' },
    { name: 'static', requirements: ['T-2'], checks: 'static' },
    { name: 'other', requirements: ['T-1'] },
  ] as unknown as Fault[],
  shared: [],
} as unknown as SuiteDefinition;

const row = (id: string) => ({ id, source: 's', requirement: 'r', check: 'c', kind: ['L' as const] });
const plain = {
  id: 'app/T-1',
  suite: 'app',
  file: 'x',
  title: 'x',
  requirements: ['T-1'],
  tags: ['app', 'live'],
};
const withDaemon = { ...plain, id: 'app/T-2', requirements: ['T-2'], images: ['daemon'] };
const declared = [plain, withDaemon];

function planOf(...args: string[]): RunPlan {
  const catalogue = [{ definition, requirements: ['T-1', 'T-2'].map(row) }];
  return planRun(
    parseOptions(['--suite', 'app', ...args], () => {})!,
    catalogue,
    'id',
    0,
  );
}

const images = ({ suites }: RunPlan): string[] => suites[0]!.subject.images.map(({ ref }) => ref);
const both = ['me/app:1', 'me/daemon:1'];

describe('the images that only some checks need', () => {
  it.each<[string, string[], Selection['chosen'], string[]]>([
    ['are in the plan with such a check', [], declared, both],
    ['are not without one', [], [plain], ['me/app:1']],
    ['are with a fault that it has to catch', ['--prove', '--fault', 'live'], [], both],
    ['are not with a fault for static checks', ['--prove', '--fault', 'static'], [], ['me/app:1']],
    ['are not with a fault of another requirement', ['--prove', '--fault', 'other'], [], ['me/app:1']],
    ['are when the user gives them', ['--image', 'daemon=mine:1'], [plain], ['me/app:1', 'mine:1']],
  ])('%s', (_case, args, chosen, expected) => {
    expect(images(withImagesOfChecks(planOf(...args), { declared, chosen }))).toEqual(expected);
  });

  it('belong to the suite of the check', () => {
    const [suite] = planOf().suites;
    const elsewhere = [{ ...withDaemon, suite: 'another' }];
    expect(imagesOfChecks(suite!, { declared: elsewhere, chosen: elsewhere })).toEqual(new Set());
  });
});
