import { expect, it } from 'vitest';
import { modelOf } from '../../../kube/manifests/model/subject-model.ts';
import type { ModelWorkload } from '../../../kube/manifests/model/model.ts';
import type { Pod, PodSpec } from '../../../kube/api/types.ts';
import { LABELS, object, sampleDeployment } from '../../../testing/sample-objects.ts';
import { makeNode, makePod } from '../../../testing/sample-world.ts';
import { hasPlacementRules, placedAsRendered } from './placed-as-rendered.ts';

const HOST = 'kubernetes.io/hostname';
const nodes = ['w1', 'w2', 'w3'].map((name) =>
  makeNode(name, { labels: { disk: name === 'w3' ? 'slow' : 'fast' } }),
);
const term = { topologyKey: HOST, labelSelector: { matchLabels: LABELS } };
const foreign = { topologyKey: HOST, labelSelector: { matchLabels: { app: 'other' } } };
const preferred = (one: object) => ({
  podAntiAffinity: { preferredDuringSchedulingIgnoredDuringExecution: [{ weight: 1, podAffinityTerm: one }] },
});
const required = { podAntiAffinity: { requiredDuringSchedulingIgnoredDuringExecution: [term] } };
const spread = (whenUnsatisfiable: string) => ({
  topologySpreadConstraints: [{ ...term, maxSkew: 1, whenUnsatisfiable }],
});

const claim = object('v1', 'PersistentVolumeClaim', 'data', { spec: { accessModes: ['ReadWriteOnce'] } });

function workload(spec: Partial<PodSpec>): ModelWorkload {
  const [first] = modelOf([sampleDeployment(spec), claim], { namespace: 'kp-x' }).workloads;
  return first!;
}
const on = (...names: string[]): Pod[] =>
  names.map((nodeName, i) => makePod({ name: `p${i}`, labels: LABELS, spec: { nodeName } }));

it.each([
  ['a node that is selected', { nodeSelector: { disk: 'fast' } }, on('w1'), true],
  ['a node that is not selected', { nodeSelector: { disk: 'fast' } }, on('w3'), false],
  ['different nodes, as preferred', { affinity: preferred(term) }, on('w1', 'w2'), true],
  ['one node, by a choice of the scheduler', { affinity: preferred(term) }, on('w1', 'w1'), true],
  ['more pods than nodes', { affinity: preferred(term) }, on('w1', 'w2', 'w3', 'w1'), true],
  ['one node, with a preference about other pods', { affinity: preferred(foreign) }, on('w1', 'w1'), true],
  [
    'as many nodes as may be used',
    { affinity: preferred(term), nodeSelector: { disk: 'slow' } },
    on('w3', 'w3'),
    true,
  ],
  ['one node, against a rule', { affinity: required }, on('w1', 'w1', 'w2'), false],
  ['an even spread', spread('DoNotSchedule'), on('w1', 'w2'), true],
  ['an uneven spread', spread('DoNotSchedule'), on('w1', 'w1'), false],
  ['an uneven spread that is allowed', spread('ScheduleAnyway'), on('w1', 'w1'), true],
  ['no node', { nodeSelector: { disk: 'fast' } }, [makePod({ spec: { nodeName: '' } })], false],
  ['nowhere', { nodeSelector: { disk: 'fast' } }, [], false],
])('judges pods on %s', (_, spec, pods, ok) => {
  expect(placedAsRendered(workload(spec), pods, { nodes, pods }).ok).toBe(ok);
});

it.each([
  [
    'a claim',
    { volumes: [{ name: 'data', persistentVolumeClaim: { claimName: 'data' } }], affinity: preferred(term) },
    /PersistentVolumeClaim data \(ReadWriteOnce\), whose volume only node w1 can mount/,
  ],
  [
    'pod affinity',
    {
      affinity: {
        ...preferred(term),
        podAffinity: { requiredDuringSchedulingIgnoredDuringExecution: [term] },
      },
    },
    /required pod affinity to .* ties them together/,
  ],
])('names what ties pods to one node: %s', (_, spec, says) => {
  const pods = on('w1', 'w1');
  expect(placedAsRendered(workload(spec), pods, { nodes, pods })).toMatchObject({
    ok: false,
    actual: expect.stringMatching(says) as string,
  });
});

it.each([
  [{}, false],
  [{ nodeSelector: {} }, false],
  [{ nodeSelector: { a: 'b' } }, true],
  [spread('ScheduleAnyway'), true],
])('knows whether the manifest says where pods run: %#', (spec, has) => {
  expect(hasPlacementRules(workload(spec))).toBe(has);
});

it('counts the pods of all workloads that a spread constraint selects', () => {
  const [first, ...others] = on('w1', 'w2', 'w3');
  expect(
    placedAsRendered(workload(spread('DoNotSchedule')), [first!], { nodes, pods: [first!, ...others] }).ok,
  ).toBe(true);
});

it('reports a preference that the scheduler did not follow', () => {
  const pods = on('w1', 'w1');
  const { observed } = placedAsRendered(workload({ affinity: preferred(term) }), pods, { nodes, pods });
  expect(observed).toContain(
    '2 pods that prefer to be apart share 1 of 3 kubernetes.io/hostname (w1: 2, w2: 0, w3: 0)',
  );
});
