import { describe, expect, it } from 'vitest';
import type { KubeObject, Metadata } from '../../../kube/api/types.ts';
import { foreignFinalizers, leftBehind, type Uninstalled, whyLeaving } from './left-behind.ts';

const HOME = 'kp-1130-1000-abc-any-chart-2';
const HELM = { 'meta.helm.sh/release-name': 'any', 'meta.helm.sh/release-namespace': HOME };

function object(
  kind: string,
  name: string,
  {
    by = 'helm',
    apiVersion = 'v1',
    ...metadata
  }: Partial<Metadata> & { by?: string; apiVersion?: string } = {},
  more: object = {},
): KubeObject {
  const managedFields = [{ manager: by, operation: 'Update' }];
  return {
    apiVersion,
    kind,
    metadata: {
      name,
      uid: `${kind} ${name} ${metadata.namespace ?? ''}`,
      ...metadata,
      managedFields,
    } as Metadata,
    ...more,
  };
}
const near = (kind: string, name: string, metadata: Parameters<typeof object>[2] = {}): KubeObject =>
  object(kind, name, { namespace: HOME, ...metadata });
const rendered = (kind: string, name: string, more: object = {}): KubeObject => ({
  apiVersion: 'v1',
  kind,
  metadata: { name },
  ...more,
});

/** The sentences about what is left, by what they mean; `leaving` by name. */
function found(now: KubeObject[], more: Partial<Uninstalled> = {}) {
  const { leaving, ...left } = leftBehind({
    release: { name: 'any', namespace: HOME },
    own: [HOME],
    rendered: [],
    definitions: [],
    before: [],
    control: [],
    now,
    ...more,
  });
  const says = Object.fromEntries(
    Object.entries(left).map(([key, list]) => [key, list.map((one: { says: string }) => one.says)]),
  );
  return { ...says, leaving: leaving.map(({ metadata }) => metadata.name) };
}
const NOTHING = { leaving: [], broken: [], advisable: [], meant: [] };

describe('what belongs to nobody or to others', () => {
  it.each<[string, KubeObject, Partial<Uninstalled>]>([
    ['was there before', near('Secret', 'a'), { before: [near('Secret', 'a')] }],
    [
      'is in every new namespace',
      near('ConfigMap', 'mesh-ca', { by: 'istiod' }),
      { control: [object('ConfigMap', 'mesh-ca', { namespace: 'other' })] },
    ],
    ['is in a namespace of others', object('Secret', 'a', { namespace: 'other', by: 'x' }), {}],
    ['is cluster-scoped, and nothing says whose', object('ClusterRole', 'a', { by: 'x' }), {}],
    [
      'has the name of another namespace of the run',
      object('ClusterRole', `${HOME}1-reader`, { by: 'x' }),
      {},
    ],
    [
      'is of another helm release',
      object('ClusterRole', 'a', { annotations: { ...HELM, 'meta.helm.sh/release-namespace': 'b' } }),
      {},
    ],
    [
      'is a binding of accounts of others, too',
      object('ClusterRoleBinding', 'a', {}, { subjects: [{ namespace: HOME }, { namespace: 'b' }] }),
      {},
    ],
    ['is removed by the control plane', near('Endpoints', 'web', { by: 'kube-controller-manager' }), {}],
    [
      'is a token of an account',
      near('Secret', 't', { annotations: { 'kubernetes.io/service-account.name': 'a' } }),
      {},
    ],
    [
      'is a volume that its driver removes',
      object(
        'PersistentVolume',
        'pvc-1',
        { by: 'provisioner', annotations: { 'pv.kubernetes.io/provisioned-by': 'x' } },
        { spec: { claimRef: { namespace: HOME } } },
      ),
      {},
    ],
    [
      'is a hook elsewhere that helm deletes',
      object('ClusterRole', 'a', {
        annotations: { 'helm.sh/hook': 'pre-install', 'helm.sh/hook-delete-policy': 'hook-succeeded' },
      }),
      { rendered: [rendered('ClusterRole', 'a')] },
    ],
    ['is the namespace of the check', object('Namespace', HOME, { by: 'kindproof' }), {}],
  ])('%s', (_, one, more) => {
    expect(found([one], more)).toEqual(NOTHING);
  });
});

describe('what is being deleted', () => {
  it.each<[string, KubeObject]>([
    ['has the time of its deletion', near('Pod', 'a', { deletionTimestamp: '2026-11-30T10:00:00Z' })],
    [
      'has lost its owner',
      near('Pod', 'a', { ownerReferences: [{ kind: 'ReplicaSet', name: 'r', uid: 'gone' }] }),
    ],
  ])('%s', (_, one) => {
    expect(found([one])).toEqual({ ...NOTHING, leaving: ['a'] });
  });

  it('says what it waits for', () => {
    const finalizers = [
      'example.com/cleanup',
      'kubernetes.io/pvc-protection',
      'foregroundDeletion',
      'batch.kubernetes.io/job-tracking',
    ];
    const one = near('ConfigMap', 'a', {
      deletionTimestamp: '2026-11-30T10:00:00Z',
      finalizers: finalizers.slice(0, 1),
    });
    expect(whyLeaving(one)).toBe(`ConfigMap ${HOME}/a: it waits for its finalizers example.com/cleanup`);
    expect(foreignFinalizers(near('ConfigMap', 'a', { finalizers }))).toEqual(['example.com/cleanup']);
  });
});

describe('what stays', () => {
  const store = (policy?: object): KubeObject =>
    rendered('StatefulSet', 'store', {
      spec: {
        volumeClaimTemplates: [{ metadata: { name: 'data' } }],
        ...(policy && { persistentVolumeClaimRetentionPolicy: policy }),
      },
    });
  const claim = near('PersistentVolumeClaim', 'data-store-0', { by: 'kube-controller-manager' });
  const webhook = object(
    'ValidatingWebhookConfiguration',
    'w',
    { by: 'operator' },
    { webhooks: [{ clientConfig: { service: { namespace: HOME } } }] },
  );

  it.each<['broken' | 'advisable' | 'meant', RegExp, KubeObject, Partial<Uninstalled>]>([
    [
      'meant',
      /its annotation helm\.sh\/resource-policy asks for it/,
      near('Secret', 'a', { annotations: { ...HELM, 'helm.sh/resource-policy': 'keep' } }),
      {},
    ],
    ['meant', /keeps the claims of StatefulSet store/, claim, { rendered: [store()] }],
    ['meant', /keeps the claims/, claim, { rendered: [store({ whenScaled: 'Delete' })] }],
    [
      'broken',
      /persistentVolumeClaimRetentionPolicy Delete/,
      claim,
      { rendered: [store({ whenDeleted: 'Delete' })] },
    ],
    [
      'meant',
      /does not remove what is in the folder crds/,
      object('CustomResourceDefinition', 'a.b'),
      { definitions: ['a.b'], before: [object('CustomResourceDefinition', 'a.b')] },
    ],
    [
      'broken',
      new RegExp(`^ConfigMap ${HOME}/a stays: it is rendered, .* operator made it$`),
      near('ConfigMap', 'a', { by: 'operator' }),
      { rendered: [rendered('ConfigMap', 'a')] },
    ],
    ['broken', /^ClusterRole a stays/, object('ClusterRole', 'a', { annotations: HELM }), {}],
    [
      'broken',
      /^RoleBinding kube-system\/a stays/,
      object('RoleBinding', 'a', { namespace: 'kube-system', annotations: HELM }),
      {},
    ],
    [
      'advisable',
      /^Job \S+ stays: it is a hook \(pre-install, pre-upgrade\)/,
      near('Job', 'a', { annotations: { 'helm.sh/hook': 'pre-install,pre-upgrade' } }),
      {},
    ],
    [
      'advisable',
      /it is a hook/,
      object('ClusterRole', 'a', { annotations: { 'helm.sh/hook': 'pre-install' } }),
      { rendered: [rendered('ClusterRole', 'a')] },
    ],
    [
      'advisable',
      /operator made it while the release ran; an owner reference/,
      near('Secret', 'a', { by: 'operator' }),
      {},
    ],
    ['advisable', /operator made it/, object('ClusterRole', `any-${HOME}`, { by: 'operator' }), {}],
    ['broken', /asking a program that is gone/, webhook, {}],
    ['broken', /its pods go on running/, near('ReplicaSet', 'a', { by: 'operator' }), {}],
  ])('%s: %s', (as, says, one, more) => {
    expect(found([one], more)).toEqual({ ...NOTHING, [as]: [expect.stringMatching(says)] });
  });

  it('names an owner, not what it owns', () => {
    const job = near('Job', 'a', { annotations: { 'helm.sh/hook': 'pre-install' } });
    const pod = near('Pod', 'a-x', {
      by: 'kube-controller-manager',
      ownerReferences: [{ kind: 'Job', name: 'a', uid: job.metadata.uid ?? '' }],
    });
    expect(found([pod, job])).toEqual({ ...NOTHING, advisable: [expect.stringMatching(/^Job /)] });
  });
});
