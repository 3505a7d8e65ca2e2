import { expect, it } from 'vitest';
import type { KubeObject } from '../../../kube/api/types.ts';
import { lasting, modelOf } from '../../../kube/manifests/model/subject-model.ts';
import { quotaHasRoom, surgeOf } from './quota-headroom.ts';

const deployment = (replicas: number, strategy?: object): KubeObject => ({
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  metadata: { name: 'web' },
  spec: {
    replicas,
    ...(strategy ? { strategy } : {}),
    selector: { matchLabels: { app: 'web' } },
    template: { metadata: { labels: { app: 'web' } }, spec: { containers: [{ name: 'web', image: 'a' }] } },
  },
});
const quota = (hard: object): KubeObject => ({
  apiVersion: 'v1',
  kind: 'ResourceQuota',
  metadata: { name: 'pods' },
  spec: { hard },
});
const workloadsOf = (objects: KubeObject[]) => lasting(modelOf(objects, { namespace: 'demo' }));

it.each<[string, KubeObject[], boolean, RegExp]>([
  [
    'no room for the surge',
    [deployment(2), quota({ pods: '2' })],
    false,
    /ResourceQuota pods allows pods=2, and the release has 2 replicas: .* 1 pod more \(maxSurge\)/,
  ],
  ['room for it', [deployment(2), quota({ pods: '3' })], true, /^$/],
  [
    'no surge',
    [deployment(2, { rollingUpdate: { maxSurge: 0, maxUnavailable: 1 } }), quota({ pods: '2' })],
    true,
    /^$/,
  ],
  ['a quota for other things', [deployment(2), quota({ 'requests.cpu': '1' })], true, /^$/],
  ['no quota', [deployment(2)], true, /^$/],
])('judges a chart with %s', (_, objects, ok, says) => {
  const result = quotaHasRoom(workloadsOf(objects), objects);
  expect(result.ok).toBe(ok);
  expect((result.details ?? []).join()).toMatch(says);
});

it.each([
  [5, undefined, 2],
  [4, { rollingUpdate: { maxSurge: '50%' } }, 2],
  [4, { rollingUpdate: { maxSurge: 3 } }, 3],
  [4, { type: 'Recreate' }, 0],
])('%i replicas with strategy %j start %i more', (replicas, strategy, surge) => {
  const [workload] = workloadsOf([deployment(replicas, strategy)]);
  expect(workload && surgeOf(workload)).toBe(surge);
});
