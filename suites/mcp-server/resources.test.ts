import { expect, it } from 'vitest';
import { otherLimits } from './resources.ts';

it.each([
  ['limits', { limits: { cpu: '500m', memory: '128Mi' } }, { cpu: '510m', memory: '129Mi' }],
  [
    'requests beyond the default',
    { requests: { cpu: '2', memory: '1Gi' } },
    { cpu: '2010m', memory: '1025Mi' },
  ],
  ['decimal units', { limits: { memory: '1G' } }, { cpu: '510m', memory: '955Mi' }],
  ['nothing', undefined, { cpu: '510m', memory: '513Mi' }],
])('are a little higher than %s', (_title, resources, higher) => {
  expect(otherLimits(resources)).toEqual(higher);
});
