import { expect, it } from 'vitest';
import type { KubeObject } from '../../../kube/api/types.ts';
import { modelOf } from '../../../kube/manifests/model/subject-model.ts';
import { ownWebhooks } from '../../../kube/manifests/model/own-webhooks.ts';
import { object, sampleDeployment, sampleService } from '../../../testing/sample-objects.ts';
import { ownPodsAreAdmitted } from './own-webhooks.ts';

const NAMESPACE = { namespace: 'kp-x' };
const labelsOf = (): Record<string, string> => ({ 'kubernetes.io/metadata.name': 'kp-x' });
const rule = { apiGroups: [''], resources: ['pods'], operations: ['CREATE'] };
const configuration = (webhook: object, service = 'web'): KubeObject =>
  object('admissionregistration.k8s.io/v1', 'ValidatingWebhookConfiguration', 'guard', {
    webhooks: [
      {
        name: 'pods.example.com',
        clientConfig: { service: { name: service, namespace: 'kp-x' } },
        rules: [rule],
        ...webhook,
      },
    ],
  });
const judge = (webhook: object, service?: string) => {
  const model = modelOf([sampleDeployment(), sampleService()], NAMESPACE);
  return ownPodsAreAdmitted(ownWebhooks([configuration(webhook, service)], model, NAMESPACE), labelsOf);
};

it.each<[string, object, boolean]>([
  ['its own pods', {}, false],
  ['everything', { rules: [{ apiGroups: ['*'], resources: ['*/*'], operations: ['*'] }] }, false],
  ['other objects', { rules: [{ ...rule, resources: ['configmaps'] }] }, true],
  ['updates only', { rules: [{ ...rule, operations: ['UPDATE'] }] }, true],
  ['its own pods, with failurePolicy Ignore', { failurePolicy: 'Ignore' }, true],
  [
    'other namespaces',
    {
      namespaceSelector: {
        matchExpressions: [{ key: 'kubernetes.io/metadata.name', operator: 'NotIn', values: ['kp-x'] }],
      },
    },
    true,
  ],
  ['labelled pods', { objectSelector: { matchLabels: { guarded: 'yes' } } }, true],
  ['what an expression selects', { matchConditions: [{ name: 'a', expression: 'true' }] }, true],
])('judges a webhook that matches %s', (_, webhook, ok) => {
  expect(judge(webhook).ok).toBe(ok);
});

it('names webhook, configuration and workload', () => {
  expect(judge({}).actual).toBe(
    'webhook pods.example.com of ValidatingWebhookConfiguration guard has failurePolicy Fail and matches the pods of Deployment web, which serve it: once they are gone, none can be created',
  );
});

it('leaves out a webhook that another release serves', () => {
  expect(judge({}, 'other').ok).toBe(true);
});
