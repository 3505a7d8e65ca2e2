import { expect, it } from 'vitest';
import { suites } from './index.ts';

it.each(suites.map(({ name, faults, references = {} }) => ({ name, faults, references })))(
  'the faults of $name belong to reference subjects that exist, each of which has at least five',
  ({ faults, references }) => {
    const counts = Object.fromEntries(Object.keys(references).map((name) => [name, 0]));
    for (const { reference } of faults) {
      if (reference !== undefined) counts[reference] = (counts[reference] ?? NaN) + 1;
    }
    expect(Object.keys(counts)).toEqual(Object.keys(references));
    for (const count of Object.values(counts)) expect(count).toBeGreaterThanOrEqual(5);
  },
);
