import { describe, expect, it } from 'vitest';
import { Lifecycle } from '../../core/lifecycle.ts';
import { silentLog } from '../../core/log.ts';
import { fakeLab } from '../../testing/fake-lab.ts';
import type { Fault } from './definition.ts';
import { Lab } from './lab.ts';

const neighbour = { name: 'other', chart: 'charts/other', values: ['other.yaml'], releaseName: 'mine' };
const patches = [{ target: { kind: 'Service' }, ops: [{ op: 'remove', path: '/spec' }] }] as const;

function labUnder(fault?: Partial<Fault>): Lab {
  const whole: Fault = { name: 'f', description: '', requirements: ['X-09'], reason: /./, ...fault };
  return new Lab(fakeLab({ fault: whole }).lab, new Lifecycle(silentLog), 'X-09');
}

describe('a neighbour of the subject', () => {
  it('is installed as it is, with what the check asks for', () => {
    expect(
      labUnder({ set: ['a=1'], patches }).source({ neighbour, namespace: 'here', set: ['b=2'] }),
    ).toEqual({
      chart: 'charts/other',
      values: ['other.yaml'],
      set: ['b=2'],
      releaseName: 'mine',
      namespace: 'here',
      patches: [],
    });
  });

  it('is changed only by the fault that names it', () => {
    const lab = labUnder({ neighbours: { other: { set: ['a=1'], patches }, third: { set: ['c=3'] } } });
    expect(lab.source({ neighbour })).toMatchObject({ set: ['a=1'], patches });
    expect(lab.source()).toMatchObject({ set: [], patches: [] });
  });
});
