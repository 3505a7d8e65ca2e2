import { describe, expect, it } from 'vitest';
import type { KubeObject } from '../../kube/api/types.ts';
import { fakeCheck, fakeLab } from '../../testing/fake-lab.ts';
import type { CheckOptions } from './check.ts';
import type { Fault } from './definition.ts';
import { executeCheck } from './execute-check.ts';
import { roomForCheck, roomForProof } from './room-request.ts';

const stateful: KubeObject = {
  apiVersion: 'apps/v1',
  kind: 'StatefulSet',
  metadata: { name: 'web' },
  spec: { replicas: 3, template: { spec: { containers: [{ name: 'app', image: 'web:1' }] } } },
};
const helm = { render: () => Promise.resolve({ objects: [stateful] }) };
const check = (options: CheckOptions): ReturnType<typeof fakeCheck> => fakeCheck('T-01', () => {}, options);

describe('roomForCheck', () => {
  it.each<[string, CheckOptions, number | undefined]>([
    ['that installs its own release', { release: 'none' }, 1],
    ['that installs two', { release: 'none', releases: 2 }, 2],
    ['that installs one beside the shared release', { release: 'shared', releases: 1 }, 1],
    ['that uses the shared release', { release: 'shared' }, undefined],
    ['that only renders', { release: 'none', static: true }, undefined],
    ['that says that it installs none', { release: 'none', releases: 0 }, undefined],
  ])('is for a check %s', (_, options, releases) => {
    expect(roomForCheck(check(options), fakeLab().lab, { sharesRelease: true })?.releases).toBe(releases);
  });

  it('is for the pods of the subject, and knows its namespaces when there are some', async () => {
    const { lab } = fakeLab({ helm });
    const one = fakeCheck('T-01', async ({ lab: own }) => {
      await own.install();
    });
    const request = roomForCheck(one, lab, { sharesRelease: false });
    expect(await request?.pods([])).toHaveLength(3);
    expect([request?.shared, request?.namespaces()]).toEqual([undefined, []]);
    await executeCheck(one, lab);
    expect(request?.namespaces()).toEqual(['kp-id-app']);
  });

  it('tells the namespaces of the shared release apart', async () => {
    const { lab } = fakeLab({ helm });
    const both = fakeCheck('T-01', () => {}, { release: 'shared', releases: 1 });
    const request = roomForCheck(both, lab, { sharesRelease: true });
    await executeCheck(both, lab);
    expect([request?.shared?.namespaces(), request?.namespaces()]).toEqual([['kp-id-app'], []]);
    expect(await request?.shared?.pods([])).toHaveLength(3);
  });
});

describe('roomForProof', () => {
  const fault: Fault = { name: 'broken', description: '', requirements: ['T-01'], reason: /./ };

  it.each<[string, CheckOptions[], boolean, number | undefined]>([
    ['nothing for static checks', [{ release: 'none', static: true }], false, undefined],
    ['the release that checks share', [{ release: 'shared' }, { release: 'shared' }], false, 1],
    ['the most that a check installs', [{ release: 'none' }, { release: 'none', releases: 3 }], false, 3],
    ['that beside the shared one', [{ release: 'shared' }, { release: 'none' }], false, 2],
    ['one after the other where only one can exist', [{ release: 'shared' }, { release: 'none' }], true, 1],
  ])('is for %s', (_, options, once, releases) => {
    const { lab } = fakeLab({ fault });
    if (once) lab.deps.subject.once = true;
    expect(roomForProof(options.map(check), lab)?.releases).toBe(releases);
  });

  it('has all namespaces of its lab', async () => {
    const { lab } = fakeLab({ fault, helm });
    const own = fakeCheck('T-01', async (context) => {
      await context.lab.install();
    });
    const request = roomForProof([own, check({ release: 'shared' })], lab);
    await executeCheck(
      fakeCheck('T-02', () => {}, { release: 'shared' }),
      lab,
    );
    await executeCheck(own, lab);
    expect(new Set(request?.namespaces())).toEqual(new Set(['kp-id-app-broken', 'kp-id-app-broken-2']));
  });
});
