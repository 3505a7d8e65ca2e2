import { describe, expect, it } from 'vitest';
import { InterruptedError } from '../../core/errors.ts';
import type { Check } from './check.ts';
import { expect as counted } from './assertions.ts';
import type { Fault } from './definition.ts';
import { fakeCheck, fakeLab, type FakeLabOptions } from '../../testing/fake-lab.ts';
import { proveFault } from './prove-fault.ts';

const green = (): void => {
  counted(1).toBe(1);
};
const red = (message: string) => (): void => {
  counted(message, message).toBe('');
};

function prove(fault: Partial<Fault>, checks: Check[], options: FakeLabOptions = {}) {
  const whole: Fault = { name: 'f', description: 'd', requirements: ['T-01'], reason: /no probe/, ...fault };
  const { lab, done } = fakeLab({ ...options, fault: whole });
  return { proving: proveFault(whole, checks, () => lab), lab, done };
}

describe('proveFault', () => {
  it('is caught by a check that fails for the stated reason', async () => {
    const { proof } = await prove({}, [fakeCheck('T-01', red('container app has no probe'))]).proving;
    expect(proof).toMatchObject({
      fault: 'f',
      suite: 'app',
      requirements: ['T-01'],
      outcome: 'caught',
      reason: expect.stringMatching(/^T-01: container app has no probe/) as string,
    });
  });

  it.each([
    ['stays green', [fakeCheck('T-01', green)], 'missed', 'T-01 passed'],
    ['has no check', [fakeCheck('T-09', red('no probe'))], 'missed', 'T-01 has no check'],
    [
      'is red for another reason',
      [fakeCheck('T-01', red('no image'))],
      'wrong-reason',
      /^T-01 failed with "no image.*", not with \/no probe\/$/,
    ],
    [
      'is red for another reason in one check, green in another',
      [fakeCheck('T-01', green), fakeCheck('T-01', red('no image'))],
      'wrong-reason',
      /no image/,
    ],
    ['asserts nothing', [fakeCheck('T-01', () => {})], 'wrong-reason', /made no assertion/],
  ] as const)('is not caught when the requirement %s', async (_, checks, outcome, reason) => {
    const { proof } = await prove({}, [...checks]).proving;
    expect(proof.outcome).toBe(outcome);
    expect(proof.reason).toMatch(reason);
  });

  it('requires every requirement to fail', async () => {
    const checks = [fakeCheck('T-01', red('no probe')), fakeCheck('T-02', green)];
    const { proof } = await prove({ requirements: ['T-01', 'T-02'] }, checks).proving;
    expect(proof).toMatchObject({ outcome: 'missed', reason: 'T-02 passed' });
  });

  it('accepts one failed check for several requirements and runs no further checks', async () => {
    const checks = [
      fakeCheck(['T-01', 'T-02'], red('no probe')),
      fakeCheck('T-02', () => Promise.reject(new InterruptedError('it ran'))),
    ];
    const { proof } = await prove({ requirements: ['T-01', 'T-02'] }, checks).proving;
    expect(proof.outcome).toBe('caught');
  });

  it('finds the reason anywhere in a failure, with any flags of the pattern', async () => {
    const checks = [fakeCheck('T-01', red('x no probe')), fakeCheck('T-02', red('y no probe'))];
    const fault = { requirements: ['T-01', 'T-02'], reason: /NO PROBE/gi };
    expect((await prove(fault, checks).proving).proof.outcome).toBe('caught');
  });

  it.each([
    ['static', 'caught'],
    ['live', 'missed'],
  ] as const)('tries only its %s checks', async (checks, outcome) => {
    const both = [
      fakeCheck('T-01', red('no probe'), { static: true }),
      fakeCheck('T-01', green, { static: false }),
    ];
    expect((await prove({ checks }, both).proving).proof.outcome).toBe(outcome);
  });

  it('is missed when its check is skipped, with the reason', async () => {
    const capability = (name: string) => Promise.resolve({ name, present: false, evidence: 'none' });
    const { proof } = await prove({}, [fakeCheck('T-01', green, { needs: ['metrics'] })], { capability })
      .proving;
    expect(proof).toMatchObject({
      outcome: 'missed',
      reason: 'T-01 was skipped: the cluster lacks metrics: none',
    });
  });

  it('is not injected without the capability it needs', async () => {
    const capability = (name: string) => Promise.resolve({ name, present: false, evidence: 'none' });
    const never = fakeCheck('T-01', () => Promise.reject(new InterruptedError('it ran')));
    const { proof } = await prove({ needs: ['network-policy'] }, [never], { capability }).proving;
    expect(proof).toMatchObject({
      outcome: 'missed',
      reason: 'not injected: the cluster lacks network-policy: none',
    });
  });

  it('reports a lost cluster as an infrastructure failure', async () => {
    const kube = { version: () => Promise.reject(new Error('gone')) };
    const { infrastructure } = await prove({}, [fakeCheck('T-01', red('no probe'))], { kube }).proving;
    expect(infrastructure).toMatchObject({ code: 'E_CLUSTER_LOST' });
  });

  it('takes its release down on every exit path', async () => {
    const uses: Check = fakeCheck('T-01', green, { release: 'shared' });
    const { proving, done } = prove({ reason: /installs nothing/ }, [uses]);
    expect((await proving).proof.outcome).toBe('caught');
    expect(done.slice(-2)).toEqual(['uninstall app', 'delete Namespace kp-id-app-f']);

    const interrupted = prove({}, [
      fakeCheck('T-01', async ({ lab }) => {
        await lab.namespace();
        throw new InterruptedError();
      }),
    ]);
    await expect(interrupted.proving).rejects.toBeInstanceOf(InterruptedError);
    expect(interrupted.done).toContain('delete Namespace kp-id-app-f');
  });
});
