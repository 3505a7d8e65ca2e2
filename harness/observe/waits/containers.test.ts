import { describe, expect, it } from 'vitest';
import type { Pod } from '../../kube/api/types.ts';
import { changingCluster } from '../../testing/changing-cluster.ts';
import { makePod } from '../../testing/sample-world.ts';
import { containerOomKilled, containerRestarted, containerRunning, containerWaiting } from './containers.ts';

const running = { running: {} };
const ended = (exitCode: number, reason = 'Error') => ({ terminated: { exitCode, reason } });
const podWith = (status: NonNullable<Parameters<typeof makePod>[0]['statuses']>[number]): Pod =>
  makePod({ phase: 'Running', statuses: [status] });
const initPod = (state: NonNullable<Parameters<typeof makePod>[0]['inits']>[number]['state']): Pod =>
  makePod({
    spec: { initContainers: [{ name: 'setup', image: 'web:1' }] },
    inits: [{ name: 'setup', ...(state && { state }) }],
  });
const fresh = makePod({});

describe('containerRunning', () => {
  it('returns the pod once the container runs', async () => {
    const after = initPod(running);
    const { kube, clock } = changingCluster([fresh], [initPod(ended(1))], [after]);
    expect(await containerRunning(kube, fresh, 'setup', { clock })).toBe(after);
  });

  it.each<[string, Pod, RegExp]>([
    [
      'an init container succeeded',
      initPod(ended(0)),
      /ended with exit code 0 .*\(gave up early: it has ended/,
    ],
    [
      'its pod has failed',
      makePod({ phase: 'Failed', statuses: [{ state: ended(3) }] }),
      /ended with exit code 3 .*gave up early: it has ended/,
    ],
    [
      'an ephemeral container has ended',
      makePod({
        status: {
          ephemeralContainerStatuses: [
            { name: 'app', ready: false, restartCount: 0, image: '', imageID: '', state: ended(1) },
          ],
        },
      }),
      /gave up early: it has ended/,
    ],
    ['another pod has its name', makePod({ metadata: { uid: 'another' } }), /gave up early: the pod is gone/],
    ['an init container keeps failing', initPod(ended(1)), /^waited 2 min 00 s .*exit code 1 \(Error\)$/],
  ])('ends when %s', async (_why, pod, message) => {
    const { kube, clock } = changingCluster([pod]);
    const name = pod.spec.initContainers ? 'setup' : 'app';
    await expect(containerRunning(kube, fresh, name, { clock })).rejects.toThrow(message);
  });
});

describe('containerWaiting', () => {
  const missing = { waiting: { reason: 'CreateContainerConfigError', message: 'secret "keys" not found' } };

  it('returns what the kubelet says', async () => {
    const { kube, clock } = changingCluster(
      [fresh],
      [podWith({ state: { waiting: { reason: 'ContainerCreating' } } })],
      [podWith({ state: missing })],
    );
    const namesKeys = ({ message }: { message: string }): boolean => message.includes('keys');
    expect(await containerWaiting(kube, fresh, 'app', namesKeys, { clock })).toEqual(missing.waiting);
  });

  it.each([
    [{ state: running }, /last seen: it runs \(gave up early: container app has started\)/],
    [{ state: ended(1), restartCount: 0 }, /gave up early: container app has started/],
    [
      { state: { waiting: { reason: 'CrashLoopBackOff' } }, restartCount: 2 },
      /last seen: CrashLoopBackOff \(gave up early: container app has started\)/,
    ],
  ])('gives up when the container has started: %j', async (status, message) => {
    const { kube, clock } = changingCluster([podWith(status)]);
    const waiting = containerWaiting(kube, fresh, 'app', () => false, { clock });
    await expect(waiting).rejects.toThrow(message);
  });
});

describe('containerRestarted', () => {
  const pod = podWith({ restartCount: 1, state: running });

  it('counts from the pod that it is given', async () => {
    const after = podWith({ restartCount: 3 });
    const { kube, clock } = changingCluster([pod], [podWith({ restartCount: 2 })], [after]);
    expect(await containerRestarted(kube, pod, 'app', { times: 2, clock })).toBe(after);
  });

  it('says how often it was restarted', async () => {
    const { kube, clock } = changingCluster([podWith({ restartCount: 2, state: running })]);
    await expect(containerRestarted(kube, pod, 'app', { times: 2, clock })).rejects.toThrow(
      'for container app of pod web-1 to be restarted 2 times; last seen: 1 restarts, it runs',
    );
  });

  it('gives up when the pod is gone', async () => {
    const { kube, clock } = changingCluster([]);
    await expect(containerRestarted(kube, pod, 'app', { clock })).rejects.toThrow(
      /gave up early: the pod is/,
    );
  });
});

describe('containerOomKilled', () => {
  it('waits for the reason, which may follow the restart', async () => {
    const lastState = ended(137, 'OOMKilled');
    const { kube, clock } = changingCluster(
      [podWith({ state: ended(137) })],
      [podWith({ state: running, lastState: ended(137) })],
      [podWith({ state: running, lastState })],
    );
    expect(await containerOomKilled(kube, fresh, 'app', { clock })).toBe(lastState.terminated);
  });

  it('needs no reason of the runtime for what the kernel has killed', async () => {
    const lastState = ended(137);
    const { kube, clock } = changingCluster([podWith({ state: running, lastState })]);
    const killed = await containerOomKilled(kube, fresh, 'app', { clock, seenByKernel: true });
    expect(killed).toBe(lastState.terminated);
  });

  it('says how the container ended instead', async () => {
    const { kube, clock } = changingCluster([podWith({ state: running, lastState: ended(1) })]);
    await expect(containerOomKilled(kube, fresh, 'app', { clock })).rejects.toThrow(
      'to be restarted as OOMKilled; last seen: it ended with exit code 1 (Error)',
    );
  });
});
