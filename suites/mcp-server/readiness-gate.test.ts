import { describe, expect, it } from 'vitest';
import { DoesNotFit } from '../../harness/core/errors.ts';
import type { KubeClient } from '../../harness/kube/api/client.ts';
import type { Condition, Pod, PodSpec, Workload } from '../../harness/kube/api/types.ts';
import type { WorkloadHandle } from '../../harness/observe/matchers/workload-handle.ts';
import { admit, heldBack, holdBackNewPods } from './readiness-gate.ts';

const GATE = 'kindproof.dev/admitted';
const gated: Partial<PodSpec> = { readinessGates: [{ conditionType: GATE }] };

function pod(name: string, spec: Partial<PodSpec>, ...conditions: Condition[]): Pod {
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name, namespace: 'n' },
    spec: { containers: [], ...spec },
    status: { phase: 'Running', conditions },
  };
}

const isTrue = (type: string): Condition => ({ type, status: 'True' });

/** Of a JSON Patch. */
interface Step {
  op: string;
  path: string;
  value: Condition;
}

/** A cluster with these pods, and what was patched. */
function cluster(pods: readonly Pod[]): { kube: KubeClient; patches: unknown[] } {
  const patches: unknown[] = [];
  const kube = {
    list: () => Promise.resolve(pods),
    get: () => Promise.resolve(pods[0]),
    patch: (_kind: unknown, _ref: unknown, patch: unknown) => {
      patches.push(patch);
      const steps = Array.isArray(patch) ? (patch as Step[]) : [];
      const change = steps.find(({ op }) => op !== 'test');
      const conditions = pods[0]?.status?.conditions;
      if (change && conditions) {
        const at = change.op === 'add' ? conditions.length : Number(change.path.split('/').at(-1));
        conditions[at] = change.value;
      }
      return Promise.resolve({});
    },
  };
  return { kube: kube as unknown as KubeClient, patches };
}

function handleWith(spec: Partial<PodSpec>): WorkloadHandle {
  const read = (): Promise<Workload> =>
    Promise.resolve({
      apiVersion: 'apps/v1',
      kind: 'Deployment',
      metadata: { name: 'a' },
      spec: { template: { spec: { containers: [], ...spec } } },
    });
  return { kind: 'Deployment', name: 'a', namespace: 'n', read } as unknown as WorkloadHandle;
}

describe('holdBackNewPods', () => {
  it('adds its gate to those that there are', async () => {
    const { kube, patches } = cluster([]);
    await holdBackNewPods(kube, handleWith({ readinessGates: [{ conditionType: 'other' }] }));
    const readinessGates = [{ conditionType: 'other' }, { conditionType: GATE }];
    expect(patches).toEqual([{ spec: { template: { spec: { readinessGates } } } }]);
  });
});

describe('heldBack', () => {
  it('finds the pod that only the check holds back', async () => {
    const { kube } = cluster([
      pod('old', {}, isTrue('ContainersReady'), isTrue('Ready')),
      pod('admitted', gated, isTrue('ContainersReady'), isTrue(GATE)),
      pod('starting', gated),
      pod('held', gated, isTrue('ContainersReady')),
    ]);
    expect((await heldBack(kube, handleWith(gated))).metadata.name).toBe('held');
  });

  it('does not fit a workload whose owner undoes changes', async () => {
    await expect(heldBack(cluster([]).kube, handleWith({}))).rejects.toBeInstanceOf(DoesNotFit);
  });
});

describe('admit', () => {
  it('sets the condition, and takes it back', async () => {
    const one = pod('held', gated, isTrue('ContainersReady'));
    const { kube, patches } = cluster([one]);
    await admit(kube, one);
    expect(one.status?.conditions?.[1]).toMatchObject({ type: GATE, status: 'True' });
    await admit(kube, one, false);
    expect(one.status?.conditions?.[1]).toMatchObject({ type: GATE, status: 'False' });
    expect(patches).toHaveLength(2);
  });
});
