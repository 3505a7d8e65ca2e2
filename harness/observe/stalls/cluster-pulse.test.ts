import { describe, expect, it } from 'vitest';
import type { KubeObject } from '../../kube/api/types.ts';
import { ClusterPulse } from './cluster-pulse.ts';
import { StallLog } from './stall-log.ts';

const lease = (name: string, renewedAt: number): KubeObject => ({
  apiVersion: 'coordination.k8s.io/v1',
  kind: 'Lease',
  metadata: { name },
  spec: { renewTime: new Date(renewedAt).toISOString(), leaseDurationSeconds: 40 },
});

function observed() {
  let now = 0;
  const log = new StallLog(() => now);
  const pulse = new ClusterPulse(log);
  log.observe(pulse);
  /** Asks at one time and gets the answer at another; the node's clock is 5 min ahead. */
  const ask = (askedAt: number, answeredAt: number, renewals: Record<string, number>): void => {
    pulse.asked(askedAt);
    now = answeredAt;
    pulse.answered(
      now,
      Object.entries(renewals).map(([node, at]) => lease(node, at + 300_000)),
    );
  };
  const at = (time: number): void => void (now = time);
  return { log, pulse, ask, at };
}

describe('the pulse of a cluster', () => {
  it('is regular when answers come soon and leases are renewed', () => {
    const { log, ask } = observed();
    for (let t = 0; t <= 120_000; t += 2000) ask(t, t + 1900, { a: Math.floor(t / 10_000) * 10_000 });
    expect(log.stalls()).toEqual([]);
  });

  it('shows that the API server did not answer, also while it still does not', () => {
    const { log, pulse, ask, at } = observed();
    ask(0, 10, {});
    pulse.asked(2000);
    at(6000);
    expect(log.stalls()).toEqual([]);
    at(9000);
    expect(log.stalls()).toEqual([{ place: 'API server', from: 2000, to: 9000 }]);
    // A request that failed is no answer.
    ask(10_000, 22_000, {});
    at(40_000);
    expect(log.stalls()).toEqual([{ place: 'API server', from: 2000, to: 22_000 }]);
  });

  it('does not blame the API server when the machine stalled', () => {
    const { log, ask, pulse, at } = observed();
    log.add({ place: 'machine', from: 2000, to: 14_000, lostMs: 12_000, stalled: true });
    ask(2000, 14_100, {});
    expect(log.stalls()).toEqual([{ place: 'machine', from: 2000, to: 14_000 }]);
    pulse.asked(16_000);
    at(17_000);
    expect(log.stalls()).toHaveLength(1);
  });

  it('shows that a kubelet did not renew its lease, by the time of this machine', () => {
    const { log, ask } = observed();
    ask(0, 0, { a: 0, b: 0 });
    ask(10_000, 10_000, { a: 10_000, b: 10_000 });
    ask(30_000, 30_000, { a: 10_000, b: 28_000 });
    expect(log.stalls()).toEqual([]);
    ask(40_000, 40_000, { a: 10_000, b: 38_000 });
    expect(log.stalls()).toEqual([{ place: 'node a', from: 20_000, to: 40_000 }]);
    ask(46_000, 46_000, { a: 46_000, b: 38_000 });
    expect(log.stalls()).toEqual([{ place: 'node a', from: 20_000, to: 46_000 }]);
  });

  it.each([
    ['was down from the start', [0, 0, 0, 0]],
    ['is missing later', [0, 10_000, undefined, undefined]],
  ])('says nothing about a node that %s', (_, renewals) => {
    const { log, ask } = observed();
    renewals.forEach((at, index) => {
      const now = index * 30_000;
      ask(now, now, at === undefined ? {} : { a: at });
    });
    expect(log.stalls()).toEqual([]);
  });

  it('ends the stall of a node after a minute: Kubernetes reports it as NotReady by then', () => {
    const { log, ask } = observed();
    ask(0, 0, { a: 0 });
    for (let t = 10_000; t <= 600_000; t += 2000) ask(t, t, { a: 10_000 });
    expect(log.stalls()).toEqual([{ place: 'node a', from: 20_000, to: 80_000 }]);
  });

  it('knows nothing about nodes without permission', () => {
    const { log, pulse } = observed();
    for (let t = 0; t < 60_000; t += 2000) {
      pulse.asked(t);
      pulse.answered(t + 5);
    }
    expect(log.stalls()).toEqual([]);
  });
});
