import { describe, expect, it } from 'vitest';
import { changingCluster } from '../../testing/changing-cluster.ts';
import { makeEvent } from '../../testing/sample-world.ts';
import { eventReported } from './events.ts';

const wanted = { reason: 'FailedMount', message: 'config' };
const other = makeEvent({ reason: 'FailedMount', message: 'timed out' });
const event = makeEvent({ reason: 'FailedMount', message: 'configmap "config" not found' });

describe('eventReported', () => {
  it('returns the message of the event', async () => {
    const { kube, clock } = changingCluster([], [other], [other, event]);
    expect(await eventReported(kube, 'demo', wanted, { clock })).toBe('configmap "config" not found');
  });

  it('leaves out events about other objects', async () => {
    const { kube, clock } = changingCluster([event]);
    const about = { kind: 'DaemonSet', name: 'web' };
    await expect(eventReported(kube, 'demo', { ...wanted, about }, { clock })).rejects.toThrow(
      'waited 60.0 s for an event FailedMount that names config; last seen: no event FailedMount',
    );
  });

  it('gives up when the event can no longer come', async () => {
    const { kube, clock } = changingCluster([other]);
    const unless = () => Promise.resolve('web-1 runs');
    await expect(eventReported(kube, 'demo', wanted, { clock, unless })).rejects.toThrow(
      'last seen: timed out (gave up early: web-1 runs)',
    );
  });

  it('does not give up on an event that has come', async () => {
    const { kube, clock } = changingCluster([event]);
    const unless = () => Promise.resolve('web-1 runs');
    await expect(eventReported(kube, 'demo', wanted, { clock, unless })).resolves.toContain('not found');
  });
});
