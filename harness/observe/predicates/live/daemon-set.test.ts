import { describe, expect, it } from 'vitest';
import type { KubeObject } from '../../../kube/api/types.ts';
import { makePod } from '../../../testing/sample-world.ts';
import { Recording } from '../../recorder/recording.ts';
import { rolloutOfDaemonSet } from './daemon-set.ts';

const daemonSet = (observedGeneration: number, numberUnavailable: number): KubeObject => ({
  apiVersion: 'apps/v1',
  kind: 'DaemonSet',
  metadata: { name: 'agent' },
  status: { observedGeneration, numberUnavailable },
});

const pod = (name: string, exitCode?: number): KubeObject => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name, uid: name },
  spec: { containers: [{ name: 'agent' }] },
  status: {
    phase: 'Running',
    containerStatuses: [
      {
        name: 'agent',
        ready: exitCode === undefined,
        restartCount: 0,
        state:
          exitCode === undefined
            ? { running: { startedAt: '2026-01-01T00:00:00Z' } }
            : {
                terminated: {
                  exitCode,
                  startedAt: '2026-01-01T00:00:00Z',
                  finishedAt: '2026-01-01T00:01:00Z',
                },
              },
      },
    ],
  },
});

const recordingOf = (...objects: KubeObject[]): Recording =>
  new Recording(objects.map((object, seq) => ({ seq, at: seq, type: 'MODIFIED', object })));

const wanted = { daemonSet: 'agent', replaced: ['a'], container: 'agent', maxUnavailable: 1 };
const install = [daemonSet(1, 2), pod('a'), daemonSet(1, 0)];

/** A pod of the DaemonSet on a node. */
const podOn = (nodeName: string, name: string, state: 'ready' | 'deleted' | 'starting'): KubeObject =>
  makePod({
    name,
    owner: { kind: 'DaemonSet', name: 'agent', uid: 'agent' },
    spec: { nodeName, containers: [{ name: 'agent', image: 'agent:1' }] },
    conditions: [{ type: 'Ready', status: state === 'starting' ? 'False' : 'True' }],
    metadata: state === 'deleted' ? { deletionTimestamp: '2026-01-01T00:01:00Z' } : {},
    statuses: [{ name: 'agent', state: { terminated: { exitCode: 0, startedAt: '2026-01-01T00:00:00Z' } } }],
  });

describe('rolloutOfDaemonSet', () => {
  it.each([0, 143])('holds for one pod at a time that ended with %i', (exitCode) => {
    const recording = recordingOf(...install, daemonSet(2, 1), pod('a', exitCode), daemonSet(2, 0));
    expect(rolloutOfDaemonSet(recording, wanted)).toMatchObject({ ok: true });
  });

  it.each<[string, KubeObject[], string | RegExp]>([
    ['two at a time', [daemonSet(2, 2), pod('a', 0)], '2 pods were unavailable at the same time'],
    [
      'a kill',
      [daemonSet(2, 1), pod('a', 137)],
      'agent of a ended with 137: it did not end on SIGTERM and was killed after 30 s',
    ],
    ['an end that was not recorded', [daemonSet(2, 1)], 'the recording has no end of agent of a'],
  ])('does not hold for %s', (_what, objects, detail) => {
    const result = rolloutOfDaemonSet(recordingOf(...install, ...objects), wanted);
    expect(result.ok).toBe(false);
    expect(result.details).toContain(detail);
  });

  it.each<[string, number, KubeObject[]]>([
    [
      'one after the other',
      1,
      [
        podOn('n1', 'a', 'deleted'),
        podOn('n1', 'c', 'starting'),
        podOn('n1', 'c', 'ready'),
        podOn('n2', 'b', 'deleted'),
      ],
    ],
    [
      'one before the other was replaced',
      2,
      [
        podOn('n1', 'a', 'deleted'),
        podOn('n1', 'c', 'starting'),
        podOn('n2', 'b', 'deleted'),
        podOn('n1', 'c', 'ready'),
      ],
    ],
  ])('counts a node from the deletion of its pod: %s', (_what, most, pods) => {
    // The status never shows more than one unavailable pod: the first is replaced before the second ends.
    const before = [daemonSet(1, 0), podOn('n1', 'a', 'ready'), podOn('n2', 'b', 'ready')];
    const recording = recordingOf(
      ...before,
      daemonSet(2, 1),
      ...pods,
      podOn('n2', 'd', 'ready'),
      daemonSet(2, 0),
    );
    const result = rolloutOfDaemonSet(recording, { ...wanted, replaced: ['a', 'b'] });
    expect(result.ok).toBe(most === 1);
    expect(result.actual).toContain(`at most ${most} unavailable at a time`);
  });

  it('does not hold without an update', () => {
    expect(rolloutOfDaemonSet(recordingOf(...install), wanted)).toMatchObject({
      ok: false,
      actual: 'selected nothing: DaemonSet agent was never updated',
    });
    expect(rolloutOfDaemonSet(recordingOf(), { ...wanted, replaced: [] }).ok).toBe(false);
  });
});
