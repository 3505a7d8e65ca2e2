import { describe, expect, it } from 'vitest';
import { makePod } from '../../../testing/sample-world.ts';
import type { Container, Pod } from '../../../kube/api/types.ts';
import { heldBy, holdsNone } from './extended-resource.ts';

const GPU = 'example.com/gpu';
const asking = (resources: Container['resources'], more: Partial<Container> = {}): Container => ({
  name: 'app',
  image: 'web:1',
  ...(resources && { resources }),
  ...more,
});
const limits = (n: string) => ({ limits: { [GPU]: n } });

describe('heldBy', () => {
  it.each<[string, Partial<Pod['spec']>, number]>([
    ['no resources', { containers: [asking(undefined)] }, 0],
    ['another resource', { containers: [asking({ limits: { cpu: '1' } })] }, 0],
    ['limits only', { containers: [asking(limits('2'))] }, 2],
    ['requests only', { containers: [asking({ requests: { [GPU]: '1' } })] }, 1],
    ['zero', { containers: [asking(limits('0'))] }, 0],
    ['two containers', { containers: [asking(limits('1')), asking(limits('2'))] }, 3],
    [
      'a small init container',
      { containers: [asking(limits('2'))], initContainers: [asking(limits('1'))] },
      2,
    ],
    ['a large init container', { containers: [asking({})], initContainers: [asking(limits('4'))] }, 4],
    [
      'a sidecar',
      {
        containers: [asking(limits('1'))],
        initContainers: [asking(limits('1'), { restartPolicy: 'Always' })],
      },
      2,
    ],
  ])('%s', (_, spec, held) => {
    expect(heldBy(makePod({ spec, phase: 'Running' }), GPU)).toBe(held);
  });

  it('returns 0 for a pod that has ended', () => {
    expect(heldBy(makePod({ spec: { containers: [asking(limits('2'))] }, phase: 'Succeeded' }), GPU)).toBe(0);
  });
});

describe('holdsNone', () => {
  it('names the pod, the amount and the node', () => {
    const pods = [
      makePod({ name: 'a' }),
      makePod({ name: 'b', spec: { containers: [asking(limits('1'))] } }),
    ];
    expect(holdsNone(pods, GPU)).toMatchObject({ ok: false, actual: `b holds 1 ${GPU} of n1` });
    expect(holdsNone(pods.slice(0, 1), GPU).ok).toBe(true);
  });

  it('does not hold without pods', () => {
    expect(holdsNone([], GPU).ok).toBe(false);
  });
});
