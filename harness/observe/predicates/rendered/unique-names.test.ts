import { expect, it } from 'vitest';
import { sampleContainer, sampleDeployment, sampleSystem } from '../../../testing/sample-objects.ts';
import { namesAreUnique } from './unique-names.ts';

it('accepts a system in which every name is used once', () => {
  expect(namesAreUnique(sampleSystem())).toMatchObject({ ok: true });
});

it.each([
  ['two variables A in container web', sampleContainer({ env: [{ name: 'A' }, { name: 'A' }] })],
  [
    'two ports http in container web',
    sampleContainer({ ports: ['a', 'b'].map((_, i) => ({ name: 'http', containerPort: 80 + i })) }),
  ],
  [
    'two mounts at /x in container web',
    sampleContainer({ volumeMounts: ['a', 'b'].map((name) => ({ name, mountPath: '/x' })) }),
  ],
])('names %s', (what, container) => {
  const result = namesAreUnique([sampleDeployment({ containers: [container] })]);
  expect(result).toMatchObject({ ok: false, actual: `Deployment web has ${what}` });
});

it('names volumes and containers of one name, also of an init container', () => {
  const spec = {
    initContainers: [sampleContainer()],
    volumes: ['config', 'config'].map((name) => ({ name, emptyDir: {} })),
  };
  expect(namesAreUnique([sampleDeployment(spec)]).details).toEqual([
    'Deployment web has two containers web',
    'Deployment web has two volumes config',
  ]);
});

it('does not hold for nothing', () => {
  expect(namesAreUnique([]).ok).toBe(false);
});
