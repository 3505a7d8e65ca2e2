import { describe, expect, it } from 'vitest';
import type { ContainerStatus, EndpointSlice, KubeObject } from '../../harness/kube/api/types.ts';
import { endpointsNeverBelow } from '../../harness/observe/predicates/live/traffic.ts';
import { Recording } from '../../harness/observe/recorder/recording.ts';
import { makeEvent, makePod } from '../../harness/testing/sample-world.ts';
import { endpointsOfRollout, notRestarted, probeTroubles } from './probe-record.ts';

const record = (...objects: KubeObject[]): Recording =>
  new Recording(objects.map((object, seq) => ({ seq, at: seq, type: 'MODIFIED', object })));

const TIMEOUT =
  'Readiness probe failed: Get "http://x/ready": context deadline exceeded (Client.Timeout exceeded while awaiting headers)';
const WRONG_ANSWER = 'Readiness probe failed: HTTP probe failed with statuscode: 503';
const LIVENESS = 'Liveness probe failed: HTTP probe failed with statuscode: 503';

const unhealthy = (name: string, message: string): KubeObject =>
  makeEvent({ about: { name }, reason: 'Unhealthy', message });
const killing = (message: string): KubeObject => makeEvent({ reason: 'Killing', type: 'Normal', message });
const running = (status: Partial<ContainerStatus> = {}): KubeObject =>
  makePod({ statuses: [{ state: { running: { startedAt: '2026-03-01T11:59:00Z' } }, ...status }] });
const restarted = running({
  restartCount: 1,
  lastState: { terminated: { exitCode: 137, reason: 'Error' } },
});

describe('probeTroubles', () => {
  it.each<[string, KubeObject[], string[]]>([
    ['nothing', [running()], []],
    ['a restart', [running(), restarted], ['web-1 restarted: Error']],
    ['a failed probe', [unhealthy('web-1', TIMEOUT)], [`web-1: ${TIMEOUT}`]],
    ['a failed startup probe, which is normal', [unhealthy('web-1', 'Startup probe failed: refused')], []],
    ['a failed probe of another pod', [unhealthy('web-2', TIMEOUT)], []],
  ])('finds %s', (_title, objects, troubles) => {
    expect(probeTroubles(record(...objects), ['web-1'])).toEqual(troubles);
  });
});

describe('notRestarted', () => {
  const decided = 'Container app failed liveness probe, will be restarted';

  it.each<[string, KubeObject[], boolean, string]>([
    ['runs', [running()], true, 'no restart'],
    ['had fewer failures than the threshold', [running(), unhealthy('web-1', LIVENESS)], true, 'no restart'],
    ['will be restarted after its grace period', [running(), killing(decided)], false, decided],
    ['was restarted', [running(), restarted], false, 'container app restarted (Error)'],
    ['is deleted', [running(), killing('Stopping container app')], true, 'no restart'],
    ['was not recorded', [], false, 'the recording has no such pod'],
  ])('a pod that %s', (_title, objects, ok, actual) => {
    expect(notRestarted(record(...objects), 'web-1')).toMatchObject({ ok, actual });
  });

  it('reports the failed probes', () => {
    const recording = record(running(), unhealthy('web-1', LIVENESS), killing(decided));
    expect(notRestarted(recording, 'web-1').details).toEqual([decided, `${LIVENESS} ×1`]);
  });
});

describe('endpointsOfRollout', () => {
  const ready = (name: string): KubeObject =>
    makePod({ name, conditions: [{ type: 'Ready', status: 'True' }] });
  const unready = (name: string): KubeObject => makePod({ name });
  const deleting = (name: string): KubeObject =>
    makePod({ name, metadata: { deletionTimestamp: '2026-03-01T12:00:00Z' } });
  const endpoints = (...names: string[]): KubeObject =>
    ({
      apiVersion: 'discovery.k8s.io/v1',
      kind: 'EndpointSlice',
      metadata: { name: 'web-x', uid: 'uid-web-x', labels: { 'kubernetes.io/service-name': 'web' } },
      addressType: 'IPv4',
      endpoints: names.map((name) => ({ addresses: ['10.0.0.1'], targetRef: { kind: 'Pod', name } })),
    }) satisfies EndpointSlice;
  const start = [ready('a'), ready('b'), endpoints('a', 'b')];

  it.each<[string, KubeObject[], boolean]>([
    ['whose probe timed out', [unready('a'), endpoints('b'), unhealthy('a', TIMEOUT)], true],
    ['whose probe got a wrong answer', [unready('a'), endpoints('b'), unhealthy('a', WRONG_ANSWER)], false],
    ['whose neighbour timed out', [unready('a'), endpoints('b'), unhealthy('b', TIMEOUT)], false],
    ['that is deleted', [deleting('a'), endpoints('b')], false],
    ['that is deleted and then times out', [deleting('a'), endpoints('b'), unhealthy('a', TIMEOUT)], false],
    [
      'that is deleted after its probe timed out',
      [
        unready('a'),
        unhealthy('a', TIMEOUT),
        deleting('a'),
        endpoints('b'),
        endpoints('b', 'c'),
        endpoints('b'),
      ],
      false,
    ],
    ['without a recorded reason', [unready('a'), endpoints('b')], false],
  ])('an endpoint %s', (_title, changes, isKept) => {
    const trace = endpointsOfRollout(record(...start, ...changes), 'web');
    expect(endpointsNeverBelow(trace, 2, { from: 2 }).ok).toBe(isKept);
  });
});
