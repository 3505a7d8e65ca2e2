import { expect, it } from 'vitest';
import { ownedPods } from './owned-pods.ts';
import type { KubeObject, Pod } from './types.ts';

function object(kind: string, name: string, owner?: KubeObject): KubeObject {
  const ownerReferences = owner && [
    { kind: owner.kind, name: owner.metadata.name, uid: owner.metadata.uid ?? '' },
  ];
  const metadata = {
    name,
    uid: `uid-${name}`,
    labels: { app: 'web' },
    ...(ownerReferences && { ownerReferences }),
  };
  return { apiVersion: 'v1', kind, metadata, spec: {} };
}

const deployment = object('Deployment', 'web');
const replicaSet = object('ReplicaSet', 'web-1', deployment);
const daemonSet = object('DaemonSet', 'agent');
const cronJob = object('CronJob', 'nightly');
const job = object('Job', 'nightly-1', cronJob);
const pods = [
  object('Pod', 'of-deployment', replicaSet),
  object('Pod', 'of-daemon-set', daemonSet),
  object('Pod', 'of-job', job),
  object('Pod', 'bare'),
] as Pod[];

it.each([
  [deployment, 'of-deployment'],
  [daemonSet, 'of-daemon-set'],
  [cronJob, 'of-job'],
  [job, 'of-job'],
  [pods[3]!, 'bare'],
])('of $kind are found by owner, although all have the same labels', (owner, name) => {
  const found = ownedPods(owner, { pods, replicaSets: [replicaSet], jobs: [job] });
  expect(found.map(({ metadata }) => metadata.name)).toEqual([name]);
});
