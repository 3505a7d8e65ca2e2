import { expect, it } from 'vitest';
import type { KubeObject } from '../../../kube/api/types.ts';
import { modelOf } from '../../../kube/manifests/model/subject-model.ts';
import { object, sampleDeployment, sampleService } from '../../../testing/sample-objects.ts';
import { policiesAdmitSomebody } from './network-policies.ts';

const policy = (...ingress: object[]): KubeObject =>
  object('networking.k8s.io/v1', 'NetworkPolicy', 'web', { spec: { podSelector: {}, ingress } });
const judge = (...policies: KubeObject[]) =>
  policiesAdmitSomebody(
    modelOf([sampleDeployment(), sampleService(), ...policies], { namespace: 'kp-x' }).workloads,
  );

it.each<[string, KubeObject[], boolean]>([
  ['no policy', [], true],
  ['no rule', [policy()], true],
  ['the name of the target port', [policy({ ports: [{ port: 'http' }] })], true],
  ['every port', [policy({})], true],
  ['another port', [policy({ ports: [{ port: 1 }] })], false],
  ['another port and, in another policy, every port', [policy({ ports: [{ port: 1 }] }), policy({})], true],
])('judges policies with %s', (_, policies, ok) => {
  expect(judge(...policies).ok).toBe(ok);
});

it('names policy, ports and Service', () => {
  expect(judge(policy({ ports: [{ port: 1 }] })).actual).toMatch(
    /^NetworkPolicy web admits traffic to port 1 of Deployment web only, and Service web leads to port \d+$/,
  );
});
