import { describe, expect, it } from 'vitest';
import { RUN_LABEL } from '../../harness/core/run-id.ts';
import { ApiError } from '../../harness/kube/api/errors.ts';
import type { KubeObject, Metadata } from '../../harness/kube/api/types.ts';
import { sleepingClock } from '../../harness/testing/sleeping-clock.ts';
import { fullNameOf } from '../../harness/kube/manifests/objects.ts';
import { fakeKube, type FakeKube } from '../testing/fake-kube.ts';
import { appeared, removeRunObjects, runOf } from './run-objects.ts';

const RUN = '1130-0115-o92';
const OTHER = '1130-0220-abc';
const HOME = `kp-${RUN}-toolman`;

function object(kind: string, name: string, metadata: Partial<Metadata> = {}, more: object = {}): KubeObject {
  return {
    apiVersion: kind.includes('Webhook') ? 'admissionregistration.k8s.io/v1' : 'v1',
    kind,
    metadata: { name, uid: `uid of ${name}`, ...metadata },
    ...more,
  };
}
const ofRun = (run: string): Partial<Metadata> => ({ labels: { [RUN_LABEL]: run } });
const ofHelm = (namespace: string): Partial<Metadata> => ({
  labels: { 'app.kubernetes.io/managed-by': 'Helm' },
  annotations: { 'meta.helm.sh/release-name': 'app', 'meta.helm.sh/release-namespace': namespace },
});
const webhook = (...namespaces: (string | undefined)[]): KubeObject =>
  object(
    'ValidatingWebhookConfiguration',
    'gate',
    {},
    {
      webhooks: namespaces.map((namespace) => ({
        clientConfig: namespace === undefined ? { url: 'https://x' } : { service: { namespace } },
      })),
    },
  );

describe('runOf', () => {
  it.each<[string, KubeObject, string | undefined]>([
    ['our label', object('ClusterRole', 'a', ofRun(RUN)), RUN],
    ['a release in a namespace of a run', object('ClusterRole', 'a', ofHelm(HOME)), RUN],
    ['a release in another namespace', object('ClusterRole', 'a', ofHelm('prod')), undefined],
    ['no mark', object('ClusterRole', `kp-${RUN}-toolman`), undefined],
    ['a namespace with only the name', object('Namespace', HOME), undefined],
    ['a webhook of a run', webhook(HOME, `${HOME}-2`), RUN],
    ['a webhook that also asks others', webhook(HOME, 'prod'), undefined],
    ['a webhook that asks a server outside', webhook(HOME, undefined), undefined],
    ['a webhook without rules', webhook(), undefined],
    [
      'an aggregated API of a run',
      object('APIService', 'v1.x', {}, { spec: { service: { namespace: HOME } } }),
      RUN,
    ],
    ['an API of the server itself', object('APIService', 'v1.', {}, { spec: {} }), undefined],
    [
      'a binding of accounts of a run',
      object('ClusterRoleBinding', 'b', {}, { subjects: [{ namespace: HOME }] }),
      RUN,
    ],
    [
      'a binding of a user, too',
      object('ClusterRoleBinding', 'b', {}, { subjects: [{ namespace: HOME }, { kind: 'User' }] }),
      undefined,
    ],
    [
      'a volume claimed by a run',
      object('PersistentVolume', 'v', {}, { spec: { claimRef: { namespace: HOME } } }),
      RUN,
    ],
  ])('of %s', (_what, one, run) => {
    expect(runOf(one)).toBe(run);
  });
});

describe('removeRunObjects', () => {
  /** Deletions in order; removing a namespace removes its content. */
  function recorded(kube: FakeKube): string[] {
    const calls: string[] = [];
    const real = kube.client.delete.bind(kube.client);
    kube.client.delete = (kind, ref) => {
      calls.push(fullNameOf({ kind: (kind as KubeObject).kind, metadata: ref } as KubeObject));
      return real(kind, ref);
    };
    return calls;
  }

  const cluster = (): KubeObject[] => [
    object('ClusterRole', 'left', ofHelm(HOME)),
    object('ClusterRole', 'admin'),
    object('CustomResourceDefinition', 'things.example', ofRun(RUN)),
    object('CustomResourceDefinition', 'others.example', ofRun(OTHER)),
    object('RoleBinding', 'reader', { namespace: 'kube-system', ...ofHelm(HOME) }),
    object('RoleBinding', 'inside', { namespace: HOME, ...ofHelm(HOME) }),
    object('Namespace', HOME, ofRun(RUN)),
    object('Namespace', 'default'),
    object('Namespace', 'prod', ofHelm('prod')),
    webhook(HOME),
    object(
      'PersistentVolume',
      'pvc-1',
      { annotations: { 'pv.kubernetes.io/provisioned-by': 'driver' } },
      { spec: { claimRef: { namespace: HOME }, persistentVolumeReclaimPolicy: 'Delete' } },
    ),
    object(
      'PersistentVolume',
      'pvc-2',
      { annotations: { 'pv.kubernetes.io/provisioned-by': 'driver' } },
      { spec: { claimRef: { namespace: HOME }, persistentVolumeReclaimPolicy: 'Retain' } },
    ),
  ];

  it('removes what a run left, webhooks first, and nothing of anybody else', async () => {
    const kube = fakeKube(cluster());
    const calls = recorded(kube);
    const { left } = await removeRunObjects(kube.client, { run: RUN });
    expect(left).toEqual([]);
    expect(calls.slice(0, 3)).toEqual([
      'ValidatingWebhookConfiguration gate',
      `Namespace ${HOME}`,
      'RoleBinding kube-system/reader',
    ]);
    expect(calls.slice(3).sort()).toEqual([
      'ClusterRole left',
      'CustomResourceDefinition things.example',
      'PersistentVolume pvc-2',
    ]);
  });

  it('removes what all runs left', async () => {
    const kube = fakeKube(cluster());
    await removeRunObjects(kube.client);
    expect(kube.objects.map(fullNameOf).sort()).toEqual([
      'ClusterRole admin',
      'Namespace default',
      'Namespace prod',
      'PersistentVolume pvc-1',
      `RoleBinding ${HOME}/inside`,
    ]);
  });

  it('continues after a refusal, and reports it', async () => {
    const kube = fakeKube([
      object('ClusterRole', 'one', ofRun(RUN)),
      object('ClusterRole', 'two', ofRun(RUN)),
    ]);
    const real = kube.client.delete.bind(kube.client);
    kube.client.delete = (kind, ref) =>
      ref.name === 'one'
        ? Promise.reject(new ApiError('could not delete', 403, 'Forbidden', 'you may not'))
        : real(kind, ref);
    const { deleted, left } = await removeRunObjects(kube.client, { run: RUN });
    expect(deleted.map(({ object: one }) => fullNameOf(one))).toEqual(['ClusterRole two']);
    expect(left).toMatchObject([{ why: 'could not delete: you may not' }]);
  });

  it('says why a namespace is not gone in time, and does not wait for ever', async () => {
    const message = 'Some content in the namespace has finalizers remaining: example.com/stuck';
    const namespace = object(
      'Namespace',
      HOME,
      { ...ofRun(RUN), deletionTimestamp: '2026-03-01T12:00:00Z' },
      { status: { conditions: [{ type: 'NamespaceFinalizersRemaining', status: 'True', message }] } },
    );
    const kube = fakeKube([namespace]);
    const { left } = await removeRunObjects(kube.client, { run: RUN, wait: { clock: sleepingClock() } });
    expect(left).toMatchObject([{ run: RUN, why: message }]);
  });

  it('does not wait for an object that somebody has created again', async () => {
    const kube = fakeKube([object('ClusterRole', 'one', ofRun(RUN))]);
    kube.client.delete = () => {
      kube.objects[0] = object('ClusterRole', 'one', { uid: 'another' });
      return Promise.resolve();
    };
    const { left } = await removeRunObjects(kube.client, { run: RUN, wait: { clock: sleepingClock() } });
    expect(left).toEqual([]);
  });
});

describe('appeared', () => {
  const before = { objects: [object('ClusterRole', 'old')], unreadable: ['PriorityClass'] };

  it('names what is new and has no mark of a run, with what is known of its maker', () => {
    const objects = [
      ...before.objects,
      object('ClusterRole', 'made', { managedFields: [{ manager: 'operator' }] } as Partial<Metadata>),
      object('Namespace', 'web', ofHelm('prod')),
    ];
    expect(appeared(before, { objects, unreadable: [] })).toEqual([
      'ClusterRole made (was made with operator)',
      'Namespace web (belongs to the Helm release app in namespace prod)',
    ]);
  });

  it.each<[string, KubeObject]>([
    ['the control plane', object('ClusterRole', 'system:controller:new')],
    [
      'the API server',
      object('APIService', 'v1.x', { labels: { 'kube-aggregator.kubernetes.io/automanaged': 'true' } }),
    ],
    [
      'a storage driver',
      object('PersistentVolume', 'v', { annotations: { 'pv.kubernetes.io/provisioned-by': 'd' } }),
    ],
    ['an owner', object('ClusterRole', 'x', { ownerReferences: [{ kind: 'X', name: 'x', uid: 'u' }] })],
    ['another run', object('Namespace', 'kp-probe-1', ofRun(OTHER))],
    ['nobody: it is being deleted', object('Namespace', 'x', { deletionTimestamp: '2026-03-01T12:00:00Z' })],
    ['a kind that was not readable before', object('PriorityClass', 'x')],
    ['a release in a namespace', object('Secret', 'x', { namespace: 'prod', ...ofHelm('prod') })],
  ])('ignores an object of %s', (_who, one) => {
    expect(appeared(before, { objects: [...before.objects, one], unreadable: [] })).toEqual([]);
  });
});
