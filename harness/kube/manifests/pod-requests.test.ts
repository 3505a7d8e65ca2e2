import { describe, expect, it } from 'vitest';
import type { Container, PodSpec } from '../api/types.ts';
import { podRequests } from './pod-requests.ts';

type Given = Container['resources'];
const container = (name: string, resources?: Given, more: Partial<Container> = {}): Container => ({
  name,
  image: 'web:1',
  ...(resources && { resources }),
  ...more,
});
const asks = (cpu: string, memory = '0'): Given => ({ requests: { cpu, memory } });
const sidecar = { restartPolicy: 'Always' };
const Mi = 2 ** 20;

describe('podRequests', () => {
  it.each<[string, Partial<PodSpec>, { cpu: number; memory: number }]>([
    ['is nothing without requests', { containers: [container('a')] }, { cpu: 0, memory: 0 }],
    [
      'is the sum over the containers',
      { containers: [container('a', asks('250m', '64Mi')), container('b', asks('0.5', '1Mi'))] },
      { cpu: 750, memory: 65 * Mi },
    ],
    [
      'takes a limit for a request that is not stated',
      { containers: [container('a', { limits: { cpu: '1', memory: '8Mi' }, requests: { cpu: '100m' } })] },
      { cpu: 100, memory: 8 * Mi },
    ],
    [
      'is at least that of the largest init container',
      {
        containers: [container('a', asks('100m', '64Mi'))],
        initContainers: [container('i', asks('900m', '1Mi')), container('j', asks('200m', '2Mi'))],
      },
      { cpu: 900, memory: 64 * Mi },
    ],
    [
      'adds sidecars to the containers',
      {
        containers: [container('a', asks('100m'))],
        initContainers: [container('s', asks('300m'), sidecar)],
      },
      { cpu: 400, memory: 0 },
    ],
    [
      'adds the sidecars that start before an init container to it, and not those that start after it',
      {
        containers: [container('a', asks('100m'))],
        initContainers: [
          container('s', asks('300m'), sidecar),
          container('i', asks('1')),
          container('t', asks('200m'), sidecar),
        ],
      },
      { cpu: 1300, memory: 0 },
    ],
    [
      'is what the pod states for itself',
      { containers: [container('a', asks('100m', '1Mi'))], resources: { requests: { cpu: '2' } } },
      { cpu: 2000, memory: Mi },
    ],
    [
      'rounds up to thousandths, and is exact',
      { containers: [container('a', asks('0.29')), container('b', asks('1u'))] },
      { cpu: 291, memory: 0 },
    ],
    [
      'reads numbers of YAML',
      { containers: [container('a', { requests: { cpu: 1 as never, memory: 1024 as never } })] },
      { cpu: 1000, memory: 1024 },
    ],
  ])('%s', (_, spec, wanted) => {
    expect(podRequests({ containers: [], ...spec })).toEqual(wanted);
  });

  it('rejects what is no quantity', () => {
    expect(() => podRequests({ containers: [container('a', asks('1 core'))] })).toThrow('quantity');
  });
});
