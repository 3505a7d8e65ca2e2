import { expect, it } from 'vitest';
import type { Container } from '../../../kube/api/types.ts';
import { qualityOfService } from './quality-of-service.ts';

const both = { cpu: '1', memory: '1Gi' };
const container = (resources?: Container['resources']): Container => ({
  name: 'a',
  image: 'a:1',
  ...(resources && { resources }),
});

it.each([
  ['Guaranteed', [container({ limits: both })]],
  ['Guaranteed', [container({ limits: both, requests: { cpu: '1000m', memory: '1024Mi' } })]],
  ['Burstable', [container({ limits: both }), container()]],
  ['Burstable', [container({ requests: { cpu: '1' } })]],
  ['Burstable', [container({ limits: both, requests: { cpu: '500m' } })]],
  ['BestEffort', [container(), container({ limits: { 'nvidia.com/gpu': '1' } })]],
] as const)('is %s: %#', (expected, containers) => {
  expect(qualityOfService({ containers: [...containers] })).toBe(expected);
});
