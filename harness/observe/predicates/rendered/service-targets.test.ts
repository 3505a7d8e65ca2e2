import { expect, it } from 'vitest';
import { modelOf } from '../../../kube/manifests/model/subject-model.ts';
import type { KubeObject, Service } from '../../../kube/api/types.ts';
import { LABELS, sampleDeployment, sampleService } from '../../../testing/sample-objects.ts';
import { oneOfSeveral, selectedTests, selectsServersOnly } from './service-targets.ts';

const of = (kind: string, annotations: Record<string, string> = {}): KubeObject => ({
  ...sampleDeployment(),
  kind,
  metadata: { name: 'other', annotations },
});

it.each([
  ['another Deployment', of('Deployment'), true, 'nothing is wrong'],
  ['a Job', of('Job'), false, 'it also selects the pods of Job other, which get its traffic while they run'],
  [
    'a hook',
    of('Job', { 'helm.sh/hook': 'post-install' }),
    false,
    'it also selects the pods of hook Job other, which get its traffic while they run',
  ],
])('judges a Service that also selects %s', (_, other, ok, actual) => {
  const { workloads } = modelOf([sampleDeployment(), other], { namespace: 'kp-x' });
  expect(selectsServersOnly(sampleService() as Service, workloads)).toMatchObject({ ok, actual });
});

it('reports tests that the Service selects', () => {
  const test: KubeObject = {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: 'test', labels: LABELS, annotations: { 'helm.sh/hook': 'test' } },
    spec: { containers: [] },
  };
  const { workloads } = modelOf([sampleDeployment(), test], { namespace: 'kp-x' });
  const service = sampleService() as Service;
  expect(selectsServersOnly(service, workloads).ok).toBe(true);
  expect(selectedTests(service, workloads)).toEqual([
    'Service web also selects the test Pod test, which gets its traffic while it runs',
  ]);
});

it('says which of several workloads a pod belongs to', () => {
  const worker = structuredClone(of('Deployment'));
  Object.assign((worker['spec'] as { template: { metadata: object } }).template.metadata, {
    labels: { ...LABELS, tier: 'worker' },
  });
  const { workloads } = modelOf([sampleDeployment(), worker], { namespace: 'kp-x' });
  expect(oneOfSeveral(workloads, workloads[1]!)).toBe(
    ' of Deployment other, which it selects beside Deployment web; tier=worker tells them apart',
  );
  expect(oneOfSeveral(workloads.slice(1), workloads[1]!)).toBe('');
});
