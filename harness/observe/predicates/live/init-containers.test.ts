import { describe, expect, it } from 'vitest';
import { ago, makePod } from '../../../testing/sample-world.ts';
import type { EndpointSlice, KubeObject, Pod } from '../../../kube/api/types.ts';
import { Recording } from '../../recorder/recording.ts';
import { initOrder, trafficAfterInit } from './init-containers.ts';

const pod = (exitCode?: number): Pod =>
  makePod({
    spec: { initContainers: [{ name: 'migrations', image: 'i' }] },
    inits: [
      {
        name: 'migrations',
        state: exitCode === undefined ? { running: {} } : { terminated: { exitCode } },
      },
    ],
  });
const slice = (ready: boolean, service = 'web'): EndpointSlice => ({
  apiVersion: 'discovery.k8s.io/v1',
  kind: 'EndpointSlice',
  metadata: { name: `${service}-x`, uid: service, labels: { 'kubernetes.io/service-name': service } },
  addressType: 'IPv4',
  endpoints: [{ addresses: ['10.0.0.1'], conditions: { ready }, targetRef: { kind: 'Pod', name: 'web-1' } }],
});
const record = (...objects: KubeObject[]): Recording =>
  new Recording(objects.map((object, seq) => ({ seq, at: seq * 1000, type: 'MODIFIED' as const, object })));

describe('initOrder', () => {
  const spec = { initContainers: [{ name: 'prepare', image: 'i' }] };
  const ended = (exitCode: number, finishedAt: string) => [
    { name: 'prepare', state: { terminated: { exitCode, startedAt: ago(40), finishedAt } } },
  ];
  const started = (startedAt: string) => [{ state: { running: { startedAt } } }];
  it.each([
    ['in order', makePod({ spec, inits: ended(0, ago(30)), statuses: started(ago(20)) }), true],
    ['within the same second', makePod({ spec, inits: ended(0, ago(30)), statuses: started(ago(30)) }), true],
    ['too early', makePod({ spec, inits: ended(0, ago(20)), statuses: started(ago(30)) }), false],
    ['with an error', makePod({ spec, inits: ended(1, ago(30)), statuses: started(ago(20)) }), false],
    ['without init containers', makePod({ statuses: started(ago(20)) }), false],
  ])('%s', (_, pod, ok) => {
    expect(initOrder(pod).ok).toBe(ok);
  });
});

describe('trafficAfterInit', () => {
  it('reports the time between the end of the init containers and the first traffic', () => {
    const recording = record(pod(), slice(false), pod(0), pod(0), slice(true));
    expect(trafficAfterInit(recording, 'web', ['web-1'])).toMatchObject({
      ok: true,
      observed: ['web-1 got traffic 2.0 s after its init containers had ended'],
    });
  });

  it.each([
    [
      'while the init container runs',
      record(pod(), slice(true), pod(0)),
      /while its init containers had not ended/,
    ],
    [
      'after the init container failed',
      record(pod(1), slice(true)),
      /while its init containers had not ended/,
    ],
    ['never', record(pod(), pod(0), slice(false)), /never was a ready endpoint/],
    ['from another Service only', record(pod(0), slice(true, 'other')), /never was a ready endpoint/],
    ['without init containers', record(makePod({}), slice(true)), /had not ended/],
  ])('does not hold for traffic %s', (_when, recording, says) => {
    const { ok, actual } = trafficAfterInit(recording, 'web', ['web-1']);
    expect(ok).toBe(false);
    expect(actual).toMatch(says);
  });

  it('does not hold without pods', () => {
    expect(trafficAfterInit(record(), 'web', []).ok).toBe(false);
  });
});
