import { describe, expect, it } from 'vitest';
import { CheckFailure, DoesNotFit, InfrastructureError, InterruptedError } from '../../core/errors.ts';
import { ApiError } from '../../kube/api/errors.ts';
import type { ReleaseInfo } from '../../kube/helm/types.ts';
import { asAdvice } from './advice.ts';
import { expect as counted } from './assertions.ts';
import { CheckSkipped, type CheckOptions } from './check.ts';
import { executeCheck } from './execute-check.ts';
import { fakeCheck, fakeLab } from '../../testing/fake-lab.ts';

// eslint-disable-next-line @typescript-eslint/require-await
const fails = async (): Promise<void> => {
  counted(1).toBe(2);
};
const passes = (): void => {
  counted(1).toBe(1);
};

describe('a check', () => {
  it('passes with its observations and its number of assertions', async () => {
    const check = fakeCheck(['T-01', 'T-02'], ({ observe }) => {
      observe('3 pods');
      counted(3).toBe(3);
      counted(3).toBeGreaterThan(2);
    });
    expect(await executeCheck(check, fakeLab().lab)).toEqual({
      result: {
        id: 'app/T-01',
        suite: 'app',
        file: 'app.e2e.ts',
        title: 'a check',
        requirements: ['T-01', 'T-02'],
        status: 'passed',
        assertions: 2,
        observed: ['3 pods'],
        namespaces: [],
        durationMs: expect.any(Number) as number,
        startedAt: expect.stringMatching(/^\d{4}-.*Z$/) as string,
      },
      capabilities: [],
    });
  });

  it('is skipped with the reason when it has nothing to look at', async () => {
    const check = fakeCheck('T-01', () => {
      throw new CheckSkipped('the chart has no README.md');
    });
    const { result } = await executeCheck(check, fakeLab().lab);
    expect(result).toMatchObject({ status: 'skipped', reason: 'the chart has no README.md' });
  });

  it('is errored without an assertion: it would pass whatever the subject does', async () => {
    const { result } = await executeCheck(
      fakeCheck('T-01', () => {}),
      fakeLab().lab,
    );
    expect(result).toMatchObject({ status: 'errored', assertions: 0 });
    expect(result.reason).toMatch(/the check made no assertion/);
    expect(result.diagnosis?.hint).toBe('Assert something with expect(), or delete the check.');
  });

  it('is not applicable without an assertion about a subject that is not the reference', async () => {
    const { lab } = fakeLab();
    lab.deps.subject.reference = false;
    const { result } = await executeCheck(
      fakeCheck('T-01', () => {}),
      lab,
    );
    expect(result).toMatchObject({
      status: 'not-applicable',
      reason: expect.stringMatching(/nothing that the check asserts/) as string,
    });
  });

  it('is not applicable when it does not fit the subject, and says what is missing', async () => {
    const check = fakeCheck('T-01', () => {
      counted(1).toBe(1);
      throw new DoesNotFit('the chart renders no Service');
    });
    const { result } = await executeCheck(check, fakeLab().lab);
    expect(result).toMatchObject({ status: 'not-applicable', reason: 'the chart renders no Service' });
    expect(result).not.toHaveProperty('diagnosis');
  });

  it.each([
    [2, 1, '2', '1'],
    ['a', 'b', 'a', 'b'],
    [{ a: 1n }, { a: 2n }, '{ a: 1n }', '{ a: 2n }'],
    [[undefined], [], '[ undefined ]', '[]'],
  ])('reports expected %o and actual %o', async (wanted, found, expected, actual) => {
    const check = fakeCheck('T-01', () => {
      counted(found).toStrictEqual(wanted);
    });
    const { result } = await executeCheck(check, fakeLab().lab);
    expect(result).toMatchObject({ status: 'failed', assertions: 1, diagnosis: { expected, actual } });
  });

  it('reports a circular value', async () => {
    const found: { self?: unknown } = {};
    found.self = found;
    const { result } = await executeCheck(
      fakeCheck('T-01', () => {
        counted(found).toEqual({});
      }),
      fakeLab().lab,
    );
    expect(result).toMatchObject({ status: 'failed', diagnosis: { expected: '{}' } });
  });

  it('has the first line of the failure as its reason, and the causes', async () => {
    const check = fakeCheck('T-01', () => {
      throw new CheckFailure('E_X', 'what', { cause: new Error('why\nand details'), hint: 'do' });
    });
    const { result, infrastructure } = await executeCheck(check, fakeLab().lab);
    expect(result).toMatchObject({
      status: 'failed',
      reason: 'what: why',
      diagnosis: { summary: 'what', hint: 'do' },
    });
    expect(infrastructure).toBeUndefined();
  });

  it('fails when it exceeds its time limit', async () => {
    const { lab, clock } = fakeLab();
    clock.patience = 5000;
    const check = fakeCheck('T-01', () => new Promise<never>(() => {}), { timeoutMs: 5000 });
    const { result } = await executeCheck(check, lab);
    expect(result).toMatchObject({ status: 'failed', reason: 'the check did not end within 5.0 s' });
  });

  it('is skipped without running when a capability is missing', async () => {
    const { lab } = fakeLab({
      capability: (name) => Promise.resolve({ name, present: name === 'a', evidence: `no ${name} here` }),
    });
    const check = fakeCheck('T-01', () => Promise.reject(new Error('it ran')), { needs: ['a', 'b'] });
    const { result } = await executeCheck(check, lab);
    expect(result).toMatchObject({ status: 'skipped', reason: 'the cluster lacks b: no b here' });
  });

  it('rethrows an interruption, which is not a result', async () => {
    const check = fakeCheck('T-01', () => Promise.reject(new InterruptedError()));
    await expect(executeCheck(check, fakeLab().lab)).rejects.toBeInstanceOf(InterruptedError);
  });

  it.each([
    ['is deleted', true, 0],
    ['stays', false, 1],
  ])('ends at once when it is interrupted, on a cluster that %s', async (_, disposable, deletions) => {
    const interruption = new AbortController();
    const { lab, done } = fakeLab({ deps: { signal: interruption.signal, disposable } });
    const check = fakeCheck('T-01', async (context) => {
      await context.lab.namespace();
      interruption.abort(new InterruptedError('by SIGINT'));
      await new Promise(() => {});
    });
    await expect(executeCheck(check, lab)).rejects.toThrow(new InterruptedError('by SIGINT'));
    expect(done.filter((step) => step.startsWith('delete Namespace'))).toHaveLength(deletions);
    await expect(executeCheck(fakeCheck('T-01', passes), lab)).rejects.toThrow(InterruptedError);
  });

  it.each([
    [new InfrastructureError('E_SERVICE', 'cannot pause container x'), 'errored'],
    [new TypeError('x is undefined'), 'errored'],
    [new ApiError('cannot create Pod x', 422, 'Invalid', 'no such field'), 'failed'],
    [new CheckFailure('E_X', '2 of 3 replicas'), 'failed'],
  ])('is failed only for what the subject does: %s', async (error, status) => {
    const { result } = await executeCheck(
      fakeCheck('T-01', () => Promise.reject(error)),
      fakeLab().lab,
    );
    expect(result.status).toBe(status);
  });

  it('cannot use the shared release with release: none', async () => {
    const check = fakeCheck('T-01', ({ release }) => {
      counted(release.name).toBe('app');
    });
    const { result } = await executeCheck(check, fakeLab().lab);
    expect(result.reason).toMatch(/asked for the shared release but declares release: 'none'/);
  });
});

describe('a lost cluster', () => {
  it('is reported as an infrastructure failure', async () => {
    const { lab } = fakeLab({ kube: { version: () => Promise.reject(new Error('connect ECONNREFUSED')) } });
    const { result, infrastructure } = await executeCheck(
      fakeCheck('T-01', () => Promise.reject(new Error('socket hang up'))),
      lab,
    );
    expect(result.status).toBe('errored');
    expect(infrastructure).toMatchObject({
      code: 'E_CLUSTER_LOST',
      message: expect.stringContaining('connect ECONNREFUSED') as string,
      hint: expect.stringContaining('npm run doctor') as string,
    });
  });

  it('is not assumed after a single dropped request', async () => {
    let calls = 0;
    const { lab } = fakeLab({
      kube: {
        version: () => {
          calls += 1;
          return calls < 4 ? Promise.reject(new Error('ECONNRESET')) : Promise.resolve('v1.36.3');
        },
      },
    });
    const outcome = await executeCheck(
      fakeCheck('T-01', () => Promise.reject(new CheckFailure('E_X', 'what'))),
      lab,
    );
    expect(outcome.infrastructure).toBeUndefined();
    expect(outcome.result).toMatchObject({ status: 'failed', reason: 'what' });
  });
});

describe('a check of advice', () => {
  const advises = (
    requirements: string[],
    body: () => Promise<void> | void = () => counted(1).toBe(2),
    options: CheckOptions = {},
  ) =>
    executeCheck(fakeCheck(requirements, body, options), fakeLab({ deps: { advice: ['T-01', 'T-02'] } }).lab);

  it('is a warning with its diagnosis when the subject does not follow it', async () => {
    const { result } = await advises(['T-01', 'T-02']);
    expect(result).toMatchObject({ status: 'warning', diagnosis: { expected: '2', actual: '1' } });
    expect(result.reason).toContain('expected 1 to be 2');
  });

  it('passes when the subject follows it', async () => {
    expect((await advises(['T-01'], passes)).result.status).toBe('passed');
  });

  it('fails when one of its requirements is a promise', async () => {
    expect((await advises(['T-01', 'T-03'])).result.status).toBe('failed');
  });

  it('is a warning when the check says that a promise is advice here', async () => {
    const body = (): Promise<void> => asAdvice('Deployment web has one replica', fails);
    const { result } = await advises(['T-03'], body);
    expect(result).toMatchObject({
      status: 'warning',
      adviceBecause: 'Deployment web has one replica',
      notes: ['advice, because Deployment web has one replica'],
    });
  });

  it('fails in a proof and with --strict-advice, whatever the check says', async () => {
    const body = (): Promise<void> => asAdvice('x', fails);
    const { result } = await executeCheck(fakeCheck(['T-01'], body), fakeLab().lab);
    expect(result.status).toBe('failed');
    expect(result.notes).toBeUndefined();
  });

  it('is errored when it cannot be made', async () => {
    const broken = (): void => {
      throw new TypeError('x is undefined');
    };
    expect((await advises(['T-01'], broken)).result.status).toBe('errored');
  });

  it('fails when the shared release never becomes ready: then nothing is checked', async () => {
    expect((await advises(['T-01'], passes, { release: 'shared' })).result.status).toBe('failed');
  });
});

describe('a release that never becomes ready', () => {
  const shared = { release: 'shared' } as const;

  it('makes every check not applicable when what it is installed with does not fit the subject', async () => {
    const { lab } = fakeLab({
      helm: { render: () => Promise.reject(new DoesNotFit('the chart has no Secret x')) },
    });
    for (const id of ['T-01', 'T-02']) {
      const { result } = await executeCheck(fakeCheck(id, passes, shared), lab);
      expect(result).toMatchObject({ status: 'not-applicable', reason: 'the chart has no Secret x' });
    }
  });

  it('fails the first check and blocks the others', async () => {
    const { lab, done } = fakeLab();
    const outcomes = [];
    for (const id of ['T-01', 'T-02', 'T-03']) {
      outcomes.push((await executeCheck(fakeCheck(id, passes, shared), lab)).result);
    }
    expect(outcomes.map((r) => r.status)).toEqual(['failed', 'blocked', 'blocked']);
    expect(outcomes[0]?.reason).toBe('the fake helm installs nothing');
    expect(outcomes[1]?.reason).toBe('the release never became ready');
    expect(done.filter((step) => step.startsWith('install'))).toHaveLength(1);
  });

  it('fails one check also when all start at the same time', async () => {
    const { lab } = fakeLab();
    const outcomes = await Promise.all(
      ['T-01', 'T-02', 'T-03'].map((id) => executeCheck(fakeCheck(id, passes, shared), lab)),
    );
    expect(outcomes.map((o) => o.result.status).toSorted()).toEqual(['blocked', 'blocked', 'failed']);
  });

  it('fails every check of a proof, because each has to detect the fault', async () => {
    const fault = { name: 'f', description: '', requirements: [], reason: /x/ };
    const { lab } = fakeLab({ fault });
    for (const id of ['T-01', 'T-02']) {
      expect((await executeCheck(fakeCheck(id, passes, shared), lab)).result.status).toBe('failed');
    }
  });
});

describe('teardown', () => {
  const installs = fakeCheck('T-01', async ({ lab }) => {
    await lab.namespace();
    await lab.install();
  });

  it('undoes in reverse order what the check did, also after a failure', async () => {
    const { lab, done } = fakeLab();
    expect((await executeCheck(installs, lab)).result.status).toBe('failed');
    expect(done).toEqual([
      'create Namespace kp-id-app',
      'create Namespace kp-id-app-2',
      'install app',
      'uninstall app',
      'delete Namespace kp-id-app-2',
      'delete Namespace kp-id-app',
    ]);
  });

  it('reports a failed undo and continues', async () => {
    const { lab, done } = fakeLab({ helm: { uninstall: () => Promise.reject(new Error('stuck')) } });
    const { result } = await executeCheck(installs, lab);
    expect(result.observed).toEqual(['teardown failed: uninstall app from kp-id-app-2: stuck']);
    expect(done).toContain('delete Namespace kp-id-app');
  });

  it('collects evidence first, below the run directory', async () => {
    const order: string[] = [];
    const { lab } = fakeLab({
      kube: {
        list: (kind: unknown) => {
          order.push(`read ${String(kind)}`);
          return Promise.resolve([]);
        },
        delete: () => Promise.resolve(void order.push('delete')),
      },
    });
    const { result } = await executeCheck(installs, lab);
    // The pods of a deleted namespace are read to end them.
    expect(order.lastIndexOf('read Event')).toBeLessThan(order.indexOf('delete'));
    expect(order).toContain('read Event');
    for (const file of result.artifacts ?? []) expect(file).toMatch(/^app\/T-01\/kp-id-app/);
  });

  it('has a result when diagnosis cannot read anything', async () => {
    const { lab } = fakeLab({ kube: { list: () => Promise.reject(new Error('forbidden')) } });
    const { result } = await executeCheck(installs, lab);
    expect(result).toMatchObject({ status: 'failed', reason: 'the fake helm installs nothing' });
  });
});

it('recordings leave memory when their checks have ended', async () => {
  const { lab } = fakeLab({
    kube: {
      // Every watch delivers an object.
      follow: (kind, _namespace, onEvent) => {
        const object = { apiVersion: 'v1', kind: kind as string, metadata: { name: 'a' } };
        onEvent({ type: 'ADDED', object: object as never, receivedAt: 1 });
        return { synced: Promise.resolve(), stop: () => Promise.resolve() };
      },
    },
    helm: { install: () => Promise.resolve({} as ReleaseInfo) },
    deps: { environment: () => Promise.resolve({ prepare: () => Promise.resolve({ patches: [] }) }) },
  });
  const held = async (): Promise<number> => {
    const recorders = await Promise.all(lab.recorders.values());
    return recorders.reduce((sum, { recording }) => sum + recording.changes.length, lab.prepared.size);
  };
  let heldMeanwhile = 0;
  const records = fakeCheck('T-01', async (context) => {
    await context.lab.install({ rollout: false });
    heldMeanwhile = await held();
    passes();
  });
  for (let n = 0; n < 3; n += 1) {
    expect((await executeCheck(records, lab)).result.status).toBe('passed');
    expect(heldMeanwhile).toBeGreaterThan(1);
    expect(await held()).toBe(0);
  }
});

describe('an environment', () => {
  it('is opened once, prepares each namespace before the install, and is undone after the uninstall', async () => {
    const done: string[] = [];
    const patches = [{ images: { app: 'x:1' } }];
    const { lab } = fakeLab({
      kube: {
        delete: (_kind, { name }) => Promise.resolve(void done.push(`delete ${name}`)),
      },
      helm: {
        install: (source) => {
          done.push(`install with ${JSON.stringify(source.patches)}`);
          return Promise.reject(new Error('no'));
        },
        uninstall: () => Promise.resolve(void done.push('uninstall')),
      },
      deps: {
        environment: () =>
          Promise.resolve({
            prepare: (namespace, options, lifecycle) => {
              done.push(`prepare ${namespace} ${JSON.stringify(options)}`);
              lifecycle.defer('drop', () => Promise.resolve(void done.push('drop')));
              return Promise.resolve({ patches });
            },
          }),
      },
    });
    const check = fakeCheck('R-01', async (context) => {
      await context.lab.install({ environment: { server: 'own' }, patches: [{ images: { app: 'x:2' } }] });
    });
    await executeCheck(check, lab);
    expect(done).toEqual([
      'prepare kp-id-app {"server":"own"}',
      // What the check asks for lies over what fits the subject to its environment.
      'install with [{"images":{"app":"x:1"}},{"images":{"app":"x:2"}}]',
      'uninstall',
      'drop',
      'delete kp-id-app',
    ]);
  });
});
