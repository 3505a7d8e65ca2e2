import { beforeAll, describe, expect, it } from 'vitest';
import type { PredicateResult } from '../predicates/result.ts';
import { makeDeployment, makeNode, makePod } from '../../testing/sample-world.ts';
import { Recording } from '../recorder/recording.ts';
import { installMatchers } from './install.ts';
import { observeResults } from './result-sink.ts';
import type { WorkloadHandle } from './workload-handle.ts';
import { PredicateFailure } from './predicate-failure.ts';

beforeAll(() => {
  installMatchers(expect);
});

const good: PredicateResult = { ok: true, expected: '3 available', actual: '3', observed: ['3 of 3'] };
const bad: PredicateResult = {
  ok: false,
  expected: '3 available',
  actual: '2',
  details: ['web-2 is Pending'],
};
const failure = async (assertion: () => unknown): Promise<PredicateFailure> => {
  try {
    await assertion();
  } catch (error) {
    return error as PredicateFailure;
  }
  throw new Error('the assertion passed');
};

function handle(nodeNames: string[]): WorkloadHandle {
  const status = { replicas: 2, updatedReplicas: 2, readyReplicas: 2, availableReplicas: 2 };
  return {
    kind: 'Deployment',
    name: 'web',
    namespace: 'demo',
    read: () => Promise.resolve(makeDeployment({ replicas: 2, status })),
    pods: () =>
      Promise.resolve(
        nodeNames.map((nodeName, i) =>
          makePod({ name: `p${i}`, spec: { nodeName }, statuses: [{ ready: true }] }),
        ),
      ),
    nodes: () => Promise.resolve([makeNode('w1'), makeNode('w2')]),
    recording: new Recording(),
  };
}

describe('toHold', () => {
  it('passes and fails with the result', async () => {
    await expect(good).toHold();
    await expect(bad).not.toHold();
    await expect(Promise.resolve(good)).toHold();
    const error = await failure(() => expect(bad).toHold());
    expect(error).toBeInstanceOf(PredicateFailure);
    expect(error).toMatchObject({
      name: 'AssertionError',
      code: 'E_ASSERTION',
      expected: '3 available',
      actual: '2',
      result: bad,
    });
    expect(error.message).toBe('expected 3 available; found 2\n  web-2 is Pending');
  });

  it('reports a negated failure with what was observed', async () => {
    const error = await failure(() => expect(good).not.toHold());
    expect(error).toMatchObject({ expected: 'not: 3 available', actual: '3' });
    expect(error.message).toBe('did not expect 3 available; found 3\n  3 of 3');
  });

  it('throws synchronously for a value, so that a forgotten await cannot hide a failure', () => {
    expect(() => void expect(bad).toHold()).toThrow(PredicateFailure);
  });

  it.each([
    { ok: true, expected: '', actual: 'x' },
    { ok: true, expected: 'x', actual: '', observed: [] },
  ])('rejects %j, which is ok without having examined anything', async (result) => {
    expect(await failure(() => expect(result).toHold())).toMatchObject({ code: 'E_VACUOUS' });
  });

  it('reports each result to the sink of its own check', async () => {
    const seen: string[] = [];
    await observeResults(
      (r) => seen.push(...(r.observed ?? [])),
      async () => expect(good).toHold(),
    );
    await expect(good).toHold();
    expect(seen).toEqual(['3 of 3']);
  });
});

describe('workload matchers', () => {
  it('read the handle', async () => {
    const spreadOut = handle(['w1', 'w2']);
    await expect(spreadOut).toHaveAvailableReplicas(2);
    await expect(spreadOut).toHaveAllContainersReady();
    await expect(spreadOut).toBeSpreadOver('kubernetes.io/hostname', { maxSkew: 1 });
    await expect(spreadOut).toHaveNoRestarts();
    await expect(spreadOut).not.toHaveAvailableReplicas(3);
    await expect(spreadOut).not.toRunInitContainersFirst();
  });

  it('report where the pods are', async () => {
    const error = await failure(() =>
      expect(handle(['w1', 'w1'])).toBeSpreadOver('kubernetes.io/hostname', { maxSkew: 1 }),
    );
    expect(error.message).toContain(
      'expected 2 pods over 2 × kubernetes.io/hostname, differing by at most 1; found w1: 2, w2: 0 (differing by 2)',
    );
  });

  it('pass on the error of an empty selection, also when negated', async () => {
    const empty = { ...handle([]), pods: () => Promise.reject(new Error('selected nothing')) };
    await expect(expect(empty).not.toHaveAllContainersReady()).rejects.toThrow('selected nothing');
  });

  it('reject a value that is not a workload', async () => {
    expect(await failure(() => expect({}).toHaveAvailableReplicas(1))).toMatchObject({ code: 'E_MATCHER' });
  });
});
