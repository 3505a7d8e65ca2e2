import { expect, it } from 'vitest';
import { updateMargins } from './update-margins.ts';

it.each([
  ['the defaults', undefined, 3, { surge: 1, unavailable: 0 }],
  ['the defaults of one replica', {}, 1, { surge: 1, unavailable: 0 }],
  ['the defaults of ten', { type: 'RollingUpdate' }, 10, { surge: 3, unavailable: 2 }],
  ['numbers', { rollingUpdate: { maxSurge: 0, maxUnavailable: 2 } }, 3, { surge: 0, unavailable: 2 }],
  [
    'percentages',
    { rollingUpdate: { maxSurge: '50%', maxUnavailable: '50%' } },
    3,
    { surge: 2, unavailable: 1 },
  ],
  ['both 0', { rollingUpdate: { maxSurge: 0, maxUnavailable: '10%' } }, 3, { surge: 0, unavailable: 1 }],
  ['Recreate', { type: 'Recreate' }, 3, { surge: 0, unavailable: 3 }],
])('reckons with %s', (_name, strategy, replicas, margins) => {
  expect(updateMargins(strategy, replicas)).toEqual(margins);
});
