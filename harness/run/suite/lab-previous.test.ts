import { expect, it } from 'vitest';
import { Lifecycle } from '../../core/lifecycle.ts';
import { silentLog } from '../../core/log.ts';
import type { ManifestPatch } from '../../kube/manifests/patch.ts';
import { fakeLab } from '../../testing/fake-lab.ts';
import type { Fault } from './definition.ts';
import { Lab } from './lab.ts';
import type { PreviousSubject } from './worker-config.ts';

const patch = (name: string): ManifestPatch => ({ target: { kind: 'Deployment', name }, ops: [] });
const fault: Fault = {
  name: 'renamed',
  description: '',
  requirements: ['X-04'],
  reason: /./,
  set: ['fault=1'],
  patches: [patch('of-fault')],
  previous: [patch('of-fault-before')],
};
const before: PreviousSubject = { chart: 'old', values: ['o.yaml'], set: ['a=0'], patches: [patch('own')] };

function labWith(previous?: PreviousSubject): Lab {
  const subject = { chart: 'new', values: [], set: ['a=1'], patches: [], reference: true, images: [] };
  const { lab } = fakeLab({ fault, deps: { subject: { ...subject, ...(previous && { previous }) } } });
  return new Lab(lab, new Lifecycle(silentLog), 'app/X-04');
}

it('takes the version before with its own values, and with what the fault changes about it alone', () => {
  expect(labWith(before).source({ previous: true, set: ['b=2'] })).toMatchObject({
    chart: 'old',
    values: ['o.yaml'],
    set: ['a=0', 'b=2'],
    patches: [patch('own'), patch('of-fault-before')],
  });
  expect(labWith(before).source()).toMatchObject({
    chart: 'new',
    set: ['a=1', 'fault=1'],
    patches: [patch('of-fault')],
  });
});

it('says how to give a version before, where there is none', () => {
  expect(() => labWith().source({ previous: true })).toThrow(/no version before is known: add --previous/);
});
