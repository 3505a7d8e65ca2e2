import { describe, expect, it } from 'vitest';
import {
  CheckFailure,
  DoesNotFit,
  InfrastructureError,
  InterruptedError,
  UsageError,
} from '../../core/errors.ts';
import { ApiError } from '../../kube/api/errors.ts';
import type { ChartSource } from '../../kube/helm/types.ts';
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

const unfit = (): void => {
  throw new DoesNotFit('the chart has no probe');
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
      caughtBy: ['app/T-01'],
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
    ['asserts nothing', [fakeCheck('T-01', () => {})], 'errored', /made no assertion/],
    [
      'does not fit the reference subject, which is a defect',
      [fakeCheck('T-01', unfit)],
      'errored',
      /^T-01 is not applicable: the chart has no probe$/,
    ],
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
      outcome: 'not-provable',
      reason: 'the cluster lacks network-policy: none',
    });
  });

  it('is errored, neither caught nor missed, when a check errored instead of failing', async () => {
    const errs = fakeCheck('T-01', () =>
      Promise.reject(new InfrastructureError('E_NODE', 'no probe: the node is gone')),
    );
    const { proof } = await prove({}, [errs]).proving;
    expect(proof).toMatchObject({ outcome: 'errored', reason: 'T-01 errored: no probe: the node is gone' });
  });

  it.each([
    ['passed', fakeCheck('T-01', green)],
    ['failed for another reason', fakeCheck('T-01', red('no image'))],
  ])('is errored when one check of the requirement errored and another %s', async (_, other) => {
    const errs = fakeCheck('T-01', () => Promise.reject(new InfrastructureError('E_NODE', 'gone')));
    expect((await prove({}, [other, errs]).proving).proof.outcome).toBe('errored');
  });

  it('is caught although another check of the requirement errored', async () => {
    const errs = fakeCheck('T-01', () => Promise.reject(new InfrastructureError('E_NODE', 'gone')));
    expect((await prove({}, [errs, fakeCheck('T-01', red('no probe'))]).proving).proof.outcome).toBe(
      'caught',
    );
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

describe('a fault that does not fit the subject', () => {
  const ops = [{ op: 'remove' as const, path: '/spec/x' }];
  const patched = { patches: [{ target: { kind: 'Service' }, ops }] };
  const never = fakeCheck('T-01', () => Promise.reject(new InterruptedError('it ran')));
  const foreign = {
    subject: { chart: 'mine', values: [], set: [], patches: [], reference: false, images: [] },
  };
  const misfit = new UsageError('E_PATCH_TARGET', 'the patch of every Service selects nothing: no probe');
  const refusing = (error: Error) => ({
    render: ({ patches = [], set }: ChartSource) =>
      patches.length + set.length > 0 ? Promise.reject(error) : Promise.resolve({ objects: [] }),
  });

  it.each<[string, Partial<Fault>, Error]>([
    ['whose patch selects nothing', patched, misfit],
    ['whose path does not exist', patched, new UsageError('E_PATCH', 'remove /spec/x cannot be applied')],
    ['whose value the schema refuses', { set: ['a=1'] }, new UsageError('E_VALUES_SCHEMA', 'no a')],
  ])('%s is not provable and runs no check', async (_, fault, error) => {
    const { proof } = await prove(fault, [never], { helm: refusing(error), deps: foreign }).proving;
    expect(proof).toMatchObject({ outcome: 'not-provable', reason: `it does not fit: ${error.message}` });
  });

  it('is errored on the reference subject, which every fault has to fit', async () => {
    const { proof } = await prove(patched, [never], { helm: refusing(misfit) }).proving;
    expect(proof).toMatchObject({ outcome: 'errored', reason: `it does not fit: ${misfit.message}` });
  });

  it('is errored when the subject does not render without the fault either', async () => {
    const helm = { render: () => Promise.reject(new UsageError('E_TEMPLATE', 'a template is broken')) };
    const { proof } = await prove(patched, [never], { helm, deps: foreign }).proving;
    expect(proof).toMatchObject({ outcome: 'errored', reason: 'a template is broken' });
  });

  it.each<[string, Check[]]>([
    ['does not fit', [fakeCheck('T-01', unfit)]],
    ['does not fit and another passed', [fakeCheck('T-01', green), fakeCheck('T-01', unfit)]],
    [
      'does not fit and another is red for another reason',
      [fakeCheck('T-01', unfit), fakeCheck('T-01', red('no image'))],
    ],
  ])('is not provable when its check %s, although the message matches', async (_, checks) => {
    const { proof } = await prove({}, checks, { deps: foreign }).proving;
    expect(proof).toMatchObject({
      outcome: 'not-provable',
      reason: 'T-01 is not applicable: the chart has no probe',
    });
  });

  it('is caught when another check of the requirement fits', async () => {
    const checks = [fakeCheck('T-01', unfit), fakeCheck('T-01', red('no probe'))];
    expect((await prove({}, checks, { deps: foreign }).proving).proof.outcome).toBe('caught');
  });

  it('because a document does not have the words is not provable', async () => {
    const documents = [{ file: 'README.md', replace: 'a', by: 'b' }];
    const { proof } = await prove({ documents }, [never], { deps: foreign }).proving;
    expect(proof).toMatchObject({
      outcome: 'not-provable',
      reason: 'it does not fit: README.md does not say "a"',
    });
  });

  it.each([
    ['that the chart ignores', { objects: [] }, 'not-provable', /^T-01 passed, and a=1 changes nothing/],
    [
      'that the chart uses',
      { objects: [{ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'c' } }] },
      'missed',
      /^T-01 passed$/,
    ],
  ])('and is missed with a value %s', async (_, withValue, outcome, reason) => {
    const helm = {
      render: ({ set }: ChartSource) => Promise.resolve(set.length > 0 ? withValue : { objects: [] }),
    };
    const { proof } = await prove({ set: ['a=1'] }, [fakeCheck('T-01', green)], { helm, deps: foreign })
      .proving;
    expect(proof.outcome).toBe(outcome);
    expect(proof.reason).toMatch(reason);
  });

  const installs = {
    install: () => Promise.resolve({} as never),
    render: () => Promise.resolve({ objects: [] }),
  };
  const uses = (): Check =>
    fakeCheck('T-01', async ({ lab }) => {
      await lab.install({ rollout: false });
    });

  it.each<[string, Error, object, string]>([
    [
      'names an object that is missing',
      new ApiError('patch c', 404, 'NotFound', 'no probe'),
      foreign,
      'not-provable',
    ],
    ['needs a program that the image lacks', new CheckFailure('E_EXEC', 'no sh'), foreign, 'not-provable'],
    ['fails because the engine does', new InfrastructureError('E_ENGINE', 'no probe'), foreign, 'errored'],
    [
      'names an object that the reference lacks',
      new ApiError('patch c', 404, 'NotFound', 'no'),
      {},
      'errored',
    ],
  ])('or whose disturbance %s is no failure of the subject', async (_, error, deps, outcome) => {
    const disturb = () => Promise.reject(error);
    const { proof } = await prove({ disturb }, [uses()], { helm: installs, deps }).proving;
    expect(proof.outcome).toBe(outcome);
    expect(proof.reason).toContain(error.message);
  });
});
