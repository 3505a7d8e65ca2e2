import { describe, expect, it } from 'vitest';
import type { KubeEvent, Pod } from '../../kube/api/types.ts';
import { ago, makeEvent, makePod, NOW, pendingPod } from '../../testing/sample-world.ts';
import { hopeless } from './hopeless.ts';

const waiting = (reason: string, message = '', restartCount = 0): Pod =>
  makePod({
    statuses: [
      {
        restartCount,
        state: { waiting: { reason, message } },
        ...(restartCount > 0 ? { lastState: { terminated: { exitCode: 1 } } } : {}),
      },
    ],
  });
const aged = (seconds: number, pod: Pod): Pod => ({
  ...pod,
  status: { ...pod.status, startTime: ago(seconds) },
});
const young = (pod: Pod): Pod => aged(3, pod);
const pendingFor = (seconds: number, message: string): Pod => {
  const pod = pendingPod(message);
  pod.status!.conditions![0]!.lastTransitionTime = ago(seconds);
  return pod;
};
const justPending = (message: string): Pod => pendingFor(3, message);
const mount = makeEvent({
  reason: 'FailedMount',
  message: 'MountVolume.SetUp failed for volume "c" : configmap "servers" not found',
});
const missingKey = makeEvent({ reason: 'Failed', message: "Error: couldn't find key a in ConfigMap demo/b" });
/** Two complaints came at once, and none since. */
const atOnce = (event: KubeEvent): KubeEvent => ({
  ...event,
  firstTimestamp: ago(24),
  lastTimestamp: ago(22),
});
const refused = (count: number): KubeEvent =>
  makeEvent({
    about: { kind: 'ReplicaSet', name: 'web-abc' },
    reason: 'FailedCreate',
    message: 'Error creating: pods "x" is forbidden: no PriorityClass with name golden was found',
    count,
  });
/** The message names the refused pod, so the API server has an event for each attempt. */
const refusedPod = (pod: string): KubeEvent =>
  makeEvent({
    about: { kind: 'ReplicaSet', name: 'web-abc' },
    reason: 'FailedCreate',
    message: `Error creating: pods "web-abc-${pod}" is forbidden: exceeded quota: web, requested: pods=1, used: pods=3, limited: pods=3`,
  });
const created = (secondsAgo: number): KubeEvent =>
  makeEvent({
    about: { kind: 'ReplicaSet', name: 'web-abc' },
    type: 'Normal',
    reason: 'SuccessfulCreate',
    message: 'Created pod: web-abc-0',
    secondsAgo,
  });
const owned = makePod({
  owner: { kind: 'ReplicaSet', name: 'web-abc', uid: 'uid-web-abc' },
  conditions: [{ type: 'Ready', status: 'True' }],
  statuses: [{ ready: true, state: { running: {} } }],
});
const groupWithoutUser = (count: number): KubeEvent =>
  makeEvent({
    reason: 'FailedCreatePodSandBox',
    message:
      'Failed to create pod sandbox: rpc error: code = Unknown desc = user group "2375" is specified without user',
    count,
  });
const noNetwork = makeEvent({
  reason: 'FailedCreatePodSandBox',
  message: 'Failed to create pod sandbox: rpc error: code = Unknown desc = cni plugin not initialized',
  count: 9,
});
const claimed = pendingPod('0/3 nodes are available: pod has unbound immediate PersistentVolumeClaims.', {
  volumes: [{ name: 'd', persistentVolumeClaim: { claimName: 'data' } }],
});
const noClass = makeEvent({
  about: { kind: 'PersistentVolumeClaim', name: 'data' },
  reason: 'ProvisioningFailed',
  message: 'storageclass.storage.k8s.io "fast-ssd" not found',
});

describe('hopeless', () => {
  it.each<[string, Pod[], KubeEvent[], RegExp]>([
    [
      'an image that the registry does not have',
      [young(waiting('ErrImagePull', 'ghcr.io/a/b:v9: not found'))],
      [],
      /the registry has no such image/,
    ],
    ['an invalid image name', [young(waiting('InvalidImageName'))], [], /not a valid image reference/],
    [
      'a registry that stays unreachable',
      [waiting('ImagePullBackOff', 'dial tcp: no such host')],
      [],
      /cannot be resolved/,
    ],
    [
      'a missing key',
      [waiting('CreateContainerConfigError', "couldn't find key a in ConfigMap demo/b")],
      [missingKey],
      /no key "a"/,
    ],
    ['a missing ConfigMap', [makePod({})], [mount], /ConfigMap servers/],
    [
      'a node selector that no node matches',
      [pendingPod("0/3 nodes are available: 3 node(s) didn't match Pod's node affinity/selector.")],
      [],
      /node selector/,
    ],
    [
      'a topology label that no node has',
      [
        pendingFor(
          20,
          "0/3 nodes are available: 3 node(s) didn't match pod topology spread constraints (missing required label).",
        ),
      ],
      [],
      /3 nodes have no label .*topology spread constraint/,
    ],
    [
      'nodes that stay full',
      [pendingFor(100, '0/3 nodes are available: 3 Insufficient cpu.')],
      [],
      /too little free cpu/,
    ],
    [
      'devices that other pods hold',
      [pendingFor(50, '0/3 nodes are available: 3 Insufficient nvidia.com/gpu.')],
      [],
      /nvidia\.com\/gpu/,
    ],
    ['a storage class that does not exist', [claimed], [noClass], /PersistentVolumeClaim is not bound/],
    ['the third restart of a crash loop', [waiting('CrashLoopBackOff', '', 3)], [], /restarted 3 times/],
    [
      'the second restart of an init container',
      [makePod({ inits: [{ name: 'i', restartCount: 2, state: { terminated: { exitCode: 1 } } }] })],
      [],
      /init container i/,
    ],
    [
      'pods that the API server keeps refusing',
      [],
      [refused(8)],
      /ReplicaSet web-abc may not create its pods.*PriorityClass golden/,
    ],
    ['a rule that refuses one more pod of a workload', [owned], [refused(8)], /PriorityClass golden/],
    [
      'a security context that the runtime refuses',
      [makePod({})],
      [groupWithoutUser(3)],
      /has runAsGroup 2375 without runAsUser/,
    ],
    [
      'refusals that name another pod each time',
      [],
      ['a', 'b', 'c'].map((pod) => refusedPod(pod)),
      /ReplicaSet web-abc may not create its pods.*quota web is exhausted \(3 attempts\)/,
    ],
    [
      'refusals since the last pod was created',
      [],
      [created(60), ...['a', 'b', 'c'].map((pod) => refusedPod(pod))],
      /quota web is exhausted/,
    ],
  ])('gives up for %s', (_, pods, events, reason) => {
    expect(hopeless(pods, events, NOW)).toMatch(reason);
  });

  it.each<[string, Pod[], KubeEvent[]]>([
    [
      'a registry that is unreachable for a moment',
      [young(waiting('ErrImagePull', 'dial tcp: i/o timeout'))],
      [],
    ],
    [
      'a kubelet that was too busy to fetch a Secret',
      [
        waiting(
          'CreateContainerConfigError',
          'failed to sync secret cache: timed out waiting for the condition',
        ),
      ],
      [],
    ],
    ['a ConfigMap that may be applied shortly after', [young(makePod({}))], [mount]],
    [
      'a missing key that the kubelet has not checked again',
      [aged(25, waiting('CreateContainerConfigError', "couldn't find key a in ConfigMap demo/b"))],
      [atOnce(missingKey)],
    ],
    ['a volume that the kubelet has not tried again', [aged(25, makePod({}))], [atOnce(mount)]],
    [
      'a pod that has been pending for 3 s',
      [justPending("0/3 nodes are available: 3 node(s) didn't match Pod's node affinity/selector.")],
      [],
    ],
    [
      'nodes full of releases that may be uninstalled',
      [
        pendingFor(
          60,
          '0/4 nodes are available: 1 node(s) had untolerated taint {a: b}, 3 Insufficient memory.',
        ),
      ],
      [],
    ],
    ['a claim that is being provisioned', [claimed], []],
    [
      'full nodes while an older pod terminates',
      [
        pendingFor(100, '0/3 nodes are available: 3 Insufficient cpu.'),
        makePod({ name: 'old', metadata: { deletionTimestamp: ago(-10) } }),
      ],
      [],
    ],
    [
      'a node that is not ready yet',
      [
        justPending(
          '0/1 nodes are available: 1 node(s) had untolerated taint {node.kubernetes.io/not-ready: }.',
        ),
      ],
      [],
    ],
    ['the first restarts of a crash', [waiting('CrashLoopBackOff', '', 2)], []],
    [
      'a failing readiness probe',
      [makePod({ statuses: [{ state: { running: {} } }] })],
      [
        makeEvent({
          reason: 'Unhealthy',
          message: 'Readiness probe failed: HTTP probe failed with statuscode: 500',
        }),
      ],
    ],
    ['the first refusals', [], [refused(2)]],
    ['a quota that a pod of the workload uses', [owned], ['a', 'b', 'c'].map((pod) => refusedPod(pod))],
    ['the first refusal of a sandbox', [makePod({})], [groupWithoutUser(1)]],
    ['a sandbox without a network', [makePod({})], [noNetwork]],
    [
      'refusals before the last pod was created',
      [],
      [...['a', 'b', 'c'].map((pod) => refusedPod(pod)), created(5)],
    ],
    [
      'refusals of a pod that began a moment ago',
      [],
      [created(15), ...['a', 'b', 'c'].map((pod) => refusedPod(pod))],
    ],
    [
      'a container that recovered',
      [makePod({ statuses: [{ ready: true, restartCount: 5, state: { running: {} } }] })],
      [],
    ],
  ])('does not give up for %s', (_, pods, events) => {
    expect(hopeless(pods, events, NOW)).toBeUndefined();
  });
});
