import { describe, expect, it } from 'vitest';
import { makeEvent, makePod, NOW, pendingPod } from '../../testing/sample-world.ts';
import type { KubeClient } from '../../kube/api/client.ts';
import type { KubeEvent, Pod } from '../../kube/api/types.ts';
import { podReady, podUnschedulable } from './pod-start.ts';
import { sleepingClock } from '../../testing/sleeping-clock.ts';

const NO_ROOM = '0/3 nodes are available: 3 Insufficient example.com/gpu.';
const ready = makePod({ phase: 'Running', conditions: [{ type: 'Ready', status: 'True' }] });
const running = makePod({
  phase: 'Running',
  spec: {
    containers: [{ name: 'app', image: 'web:1', readinessProbe: { tcpSocket: { port: 8080 } } }],
  },
  statuses: [{ state: { running: {} } }],
});

interface Look {
  pod?: Pod;
  events?: KubeEvent[];
}

/** Each read of the pod returns the next state; the last one stays. */
function kubeOf(...looks: Look[]): KubeClient {
  let now: Look = {};
  const kube: Partial<KubeClient> = {
    get: (() => {
      now = looks.shift() ?? now;
      return Promise.resolve(now.pod);
    }) as KubeClient['get'],
    list: (() => Promise.resolve(now.events ?? [])) as KubeClient['list'],
  };
  return kube as KubeClient;
}

const web = { name: 'web-1', namespace: 'demo' };

function failure(...looks: Look[]): Promise<string> {
  return podReady(kubeOf(...looks), web, { clock: sleepingClock(NOW) }).then(
    () => 'it was ready',
    (error: unknown) => (error as Error).message,
  );
}

describe('podReady', () => {
  it('waits for more than Running', async () => {
    const kube = kubeOf({ pod: running }, { pod: running }, { pod: ready });
    expect(await podReady(kube, web, { clock: sleepingClock(NOW) })).toBe(ready);
  });

  it("reports the kubelet's message on timeout", async () => {
    const refused = makeEvent({
      about: { fieldPath: 'spec.containers{app}' },
      reason: 'Unhealthy',
      message: 'Readiness probe failed: dial tcp 10.0.0.1:8080: connect: connection refused',
    });
    expect(await failure({ pod: running, events: [refused] })).toMatch(
      /^waited 2 min 30 s for pod web-1 to be ready; last seen: Running: is not ready: .* port 8080 is refused/,
    );
  });

  it.each<[string, Look, RegExp]>([
    [
      'has no room',
      { pod: pendingPod(NO_ROOM) },
      /last seen: Pending: 0\/3 .* example\.com\/gpu\. \(gave up/,
    ],
    [
      'has no image',
      { pod: makePod({ statuses: [{ state: { waiting: { reason: 'ErrImageNeverPull' } } }] }) },
      /gave up early: pod web-1 .*image/,
    ],
    [
      'ended',
      {
        pod: makePod({
          phase: 'Failed',
          statuses: [{ state: { terminated: { exitCode: 3, startedAt: 'x', finishedAt: 'x' } } }],
        }),
      },
      /Failed: has container app ending with exit code 3.*gave up early: it has ended/,
    ],
    ['ended well', { pod: makePod({ phase: 'Succeeded' }) }, /seen: Succeeded \(gave up early: it has ended/],
    [
      'is being deleted',
      { pod: { ...ready, metadata: { ...ready.metadata, deletionTimestamp: '2026-03-01T12:00:00Z' } } },
      /gave up early: it is being deleted/,
    ],
    ['does not exist', {}, /last seen: no such pod \(gave up early: the pod is gone/],
  ])('gives up on a pod that %s', async (_what, look, message) => {
    expect(await failure(look)).toMatch(message);
  });

  it('does not give up early with giveUpEarly: false', async () => {
    const waiting = { reason: 'CreateContainerConfigError', message: 'secret "keys" not found' };
    const pod = makePod({ statuses: [{ state: { waiting } }] });
    expect(await failure({ pod })).toMatch(/gave up early: pod web-1 .*keys/);
    const wait = { clock: sleepingClock(NOW), giveUpEarly: false };
    expect(await podReady(kubeOf({ pod }, { pod: ready }), web, wait)).toBe(ready);
  });

  it('waits for a pod that the scheduler has not processed', async () => {
    const fresh = makePod({ conditions: [] });
    delete fresh.spec.nodeName;
    expect(await failure({ pod: fresh })).toMatch(
      /^waited 2 min 30 s .*the scheduler has not processed it yet$/,
    );
  });
});

describe('podUnschedulable', () => {
  it("returns the scheduler's message", async () => {
    const fresh = makePod({ conditions: [] });
    delete fresh.spec.nodeName;
    const kube = kubeOf({ pod: fresh }, { pod: pendingPod(NO_ROOM) });
    expect(await podUnschedulable(kube, web, { clock: sleepingClock(NOW) })).toBe(NO_ROOM);
  });

  it('waits for the wanted message', async () => {
    const unbound = pendingPod('0/3 nodes are available: pod has unbound immediate PersistentVolumeClaims.');
    const kube = kubeOf({ pod: unbound }, { pod: pendingPod(NO_ROOM) });
    const wait = { message: /Insufficient/, clock: sleepingClock(NOW) };
    expect(await podUnschedulable(kube, web, wait)).toBe(NO_ROOM);
  });

  it('gives up when the pod was scheduled', async () => {
    const wait = { what: 'the scheduler to keep it off n1', clock: sleepingClock(NOW) };
    await expect(podUnschedulable(kubeOf({ pod: running }), web, wait)).rejects.toThrow(
      /for the scheduler to keep it off n1; last seen: it is on n1 \(gave up early: it was scheduled\)/,
    );
  });
});
