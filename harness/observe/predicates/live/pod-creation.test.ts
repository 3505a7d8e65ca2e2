import { expect, it } from 'vitest';
import type { KubeEvent } from '../../../kube/api/types.ts';
import { makeDeployment, makeEvent, makeReplicaSet } from '../../../testing/sample-world.ts';
import { isAboutCreation } from './pod-creation.ts';

const replicaSets = [makeReplicaSet('web-abc'), makeReplicaSet('web-api-abc', 'web-api')];
const about = (kind: string, name: string, namespace = 'demo'): KubeEvent => {
  const event = makeEvent({ about: { kind, name }, reason: 'FailedCreate', message: 'refused' });
  return { ...event, metadata: { ...event.metadata, namespace } };
};

it.each([
  ['the ReplicaSet of the Deployment', about('ReplicaSet', 'web-abc'), true],
  ['that of a Deployment with a longer name', about('ReplicaSet', 'web-api-abc'), false],
  ['the Deployment', about('Deployment', 'web'), true],
  ['a Deployment in another namespace', about('Deployment', 'web', 'other'), false],
  ['a pod', about('Pod', 'web-abc'), false],
])('an event about %s: %s', (_title, event, is) => {
  expect(isAboutCreation(event, { object: makeDeployment(), namespace: 'demo' }, replicaSets)).toBe(is);
});

it('knows nothing about a workload that does not exist', () => {
  expect(isAboutCreation(about('Deployment', 'web'), { object: undefined, namespace: 'demo' }, [])).toBe(
    false,
  );
});
