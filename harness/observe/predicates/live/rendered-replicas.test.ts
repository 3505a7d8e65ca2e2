import { expect, it } from 'vitest';
import { makePod } from '../../../testing/sample-world.ts';
import type { Pod, Workload } from '../../../kube/api/types.ts';
import type { ExpectedReplicas } from '../../../kube/manifests/model/model.ts';
import { replicasAsRendered } from './rendered-replicas.ts';

const stated = (least: number, most = least): ExpectedReplicas => ({
  least,
  most,
  statedBy: 'spec.replicas',
});

function workload(replicas: number, more: { kind?: string; spec?: object; status?: object } = {}): Workload {
  const { kind = 'Deployment', spec = {}, status = {} } = more;
  return {
    apiVersion: 'apps/v1',
    kind,
    metadata: { name: 'web', generation: 1 },
    spec: { replicas, template: { spec: { containers: [] } }, ...spec },
    status: {
      observedGeneration: 1,
      replicas,
      readyReplicas: replicas,
      availableReplicas: replicas,
      updatedReplicas: replicas,
      ...status,
    },
  };
}
const pods = (...revisions: string[]): Pod[] =>
  revisions.map((revision, i) =>
    makePod({ name: `web-${i}`, labels: { 'controller-revision-hash': revision } }),
  );
const revised = (spec: object = {}): Workload =>
  workload(2, { kind: 'StatefulSet', spec, status: { updateRevision: 'b' } });

it.each([
  ['the stated number', workload(2), pods('a', 'a'), stated(2), true],
  ['none, as stated', workload(0), [], stated(0), true],
  ['fewer', workload(1), pods('a'), stated(2), false],
  ['more', workload(3), pods('a', 'a', 'a'), stated(2), false],
  ['what an autoscaler chose', workload(3), pods('a', 'a', 'a'), stated(2, 5), true],
  [
    'more than an autoscaler may choose',
    workload(6),
    pods('a', 'a', 'a', 'a', 'a', 'a'),
    stated(2, 5),
    false,
  ],
  ['unready ones', workload(2, { status: { readyReplicas: 1 } }), pods('a', 'a'), stated(2), false],
  ['one revision', revised(), pods('b', 'b'), stated(2), true],
  ['two revisions', revised(), pods('a', 'b'), stated(2), false],
  [
    'two revisions on purpose',
    revised({ updateStrategy: { type: 'OnDelete' } }),
    pods('a', 'b'),
    stated(2),
    true,
  ],
])('judges %s', (_, live, own, wanted, ok) => {
  expect(replicasAsRendered(live, own, wanted).ok).toBe(ok);
});

it('names the pod of the older revision', () => {
  expect(replicasAsRendered(revised(), pods('a', 'b'), stated(2)).actual).toBe(
    'web-0 is of an older revision than b',
  );
});

it.each([
  ['another number than the only one', workload(3), stated(2), true],
  [
    'fewer ready pods than the only number',
    workload(2, { status: { readyReplicas: 1 } }),
    stated(2),
    undefined,
  ],
  ['a number outside the range of an autoscaler', workload(1), stated(2, 4), undefined],
])('is final with %s: %#', (_name, live, wanted, final) => {
  expect(replicasAsRendered(live, [], wanted)).toMatchObject({ ok: false });
  expect(replicasAsRendered(live, [], wanted).isFinal).toBe(final);
});
