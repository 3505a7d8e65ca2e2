import { describe, expect, it } from 'vitest';
import type { EndpointSlice } from '../../kube/api/types.ts';
import { changingCluster } from '../../testing/changing-cluster.ts';
import { makePod } from '../../testing/sample-world.ts';
import { endpointGone, endpointReady, endpointsAre } from './endpoints.ts';

const a = makePod({ name: 'a' });
const b = makePod({ name: 'b' });
const service = { name: 'web', namespace: 'demo' };

function slice(ready: Record<string, boolean | undefined>): EndpointSlice {
  return {
    apiVersion: 'discovery.k8s.io/v1',
    kind: 'EndpointSlice',
    metadata: { name: 'web-1', namespace: 'demo', labels: { 'kubernetes.io/service-name': 'web' } },
    addressType: 'IPv4',
    endpoints: Object.entries(ready).map(([name, isReady]) => ({
      addresses: ['10.0.0.1'],
      conditions: isReady === undefined ? {} : { ready: isReady },
      targetRef: { kind: 'Pod', name },
    })),
  };
}

describe('endpoints of a Service', () => {
  it('are ready once their conditions say so, or say nothing', async () => {
    for (const isReady of [true, undefined]) {
      const { kube, clock } = changingCluster([], [slice({ a: false })], [slice({ a: isReady })]);
      await expect(endpointReady(kube, service, a, { clock })).resolves.toBeUndefined();
      expect(clock.now()).toBe(500);
    }
  });

  it('are gone once they are not ready', async () => {
    const { kube, clock } = changingCluster([slice({ a: true })], [slice({ a: false })]);
    await expect(endpointGone(kube, service, a, { clock })).resolves.toBeUndefined();
    expect(clock.now()).toBe(250);
  });

  it('are not waited for any longer once there is a reason why the pod stays', async () => {
    const { kube, clock } = changingCluster([slice({ a: true })]);
    const reasons = [undefined, 'nothing notices'];
    const unless = () => Promise.resolve(reasons.shift());
    await expect(endpointGone(kube, service, a, { clock, unless })).rejects.toThrow(
      'leave the endpoints of Service web; last seen: ready endpoints: a (gave up early: nothing notices)',
    );
    expect(clock.now()).toBe(250);
  });

  it('are exactly the given pods', async () => {
    const { kube, clock } = changingCluster(
      [slice({ a: true })],
      [slice({ a: true, b: true, c: true })],
      [slice({ a: true, b: true })],
    );
    await expect(endpointsAre(kube, service, [a, b], { clock })).resolves.toBeUndefined();
    expect(clock.now()).toBe(500);
  });

  it('are none where the Service has no slice', async () => {
    const { kube, clock } = changingCluster([]);
    await expect(endpointsAre(kube, service, [], { clock })).resolves.toBeUndefined();
  });

  it.each([
    [
      endpointReady,
      'waited 60.0 s for pod a to join the endpoints of Service web; last seen: ready endpoints: b',
    ],
    [
      endpointGone,
      'waited 60.0 s for pod b to leave the endpoints of Service web; last seen: ready endpoints: b',
    ],
  ])('are named by %o when the time is over', async (wait, message) => {
    const { kube, clock } = changingCluster([slice({ b: true })]);
    await expect(wait(kube, service, wait === endpointReady ? a : b, { clock })).rejects.toThrow(message);
  });

  it('are named when they are others than wanted', async () => {
    const { kube, clock } = changingCluster([]);
    const waiting = endpointsAre(kube, service, [a], { clock, what: 'it to be back' });
    await expect(waiting).rejects.toThrow('for it to be back; last seen: ready endpoints: none');
  });
});
