import { describe, expect, it } from 'vitest';
import type { ContainerStatus, Pod } from '../../../kube/api/types.ts';
import { ago, makeNode, makePod, makeWorld, NOW } from '../../../testing/sample-world.ts';
import { groupPods } from './pod-groups.ts';
import type { World } from '../world.ts';
import { logKey } from '../world.ts';

const WORKERS = ['kp-desk-worker', 'kp-desk-worker2', 'kp-desk-worker3'];
const statements = (pods: Pod[], world: Partial<World> = {}): string[] =>
  groupPods(pods, makeWorld({ pods, ...world })).flatMap((e) => e.causes.map((c) => `${c.object} ${c.says}`));
/** One pod per node, all with the same container status. */
const podsOn = (
  nodes: string[],
  status: Partial<ContainerStatus>,
  parts: Parameters<typeof makePod>[0] = {},
) =>
  nodes.map((nodeName, i) =>
    makePod({ name: `web-${i + 1}`, spec: { nodeName }, statuses: [status], ...parts }),
  );
const starting = { state: { waiting: { reason: 'ContainerCreating' } } };
const crashed = (restartCount: number, seconds: number): Partial<ContainerStatus> => ({
  restartCount,
  state: { waiting: { reason: 'CrashLoopBackOff' } },
  lastState: {
    terminated: { exitCode: 3, reason: 'Error', startedAt: ago(seconds + 10), finishedAt: ago(10) },
  },
});

describe('groupPods', () => {
  it('keeps the sentence of a single pod', () => {
    expect(statements(podsOn(['w1'], starting))).toEqual([
      'Pod web-1 is still starting on node w1 (container app: ContainerCreating)',
    ]);
  });

  it('names the node once for pods on the same node', () => {
    expect(statements(podsOn(['w1', 'w1'], starting))).toEqual([
      '2 pods (web-1 and web-2) each is still starting on node w1 (container app: ContainerCreating)',
    ]);
  });

  it('names all nodes, also when the name of one is the start of another', () => {
    const expected =
      '3 pods (web-1, web-2 and web-3) each is still starting on nodes kp-desk-worker, kp-desk-worker2 and kp-desk-worker3 (container app: ContainerCreating)';
    expect(statements(podsOn(WORKERS, starting))).toEqual([expected]);
    expect(statements(podsOn([WORKERS[1]!, WORKERS[2]!], starting))).toEqual([
      '2 pods (web-1 and web-2) each is still starting on nodes kp-desk-worker2 and kp-desk-worker3 (container app: ContainerCreating)',
    ]);
  });

  it.each<[string, Partial<ContainerStatus>, Parameters<typeof makePod>[0], string]>([
    [
      'an image that is missing',
      { state: { waiting: { reason: 'ErrImageNeverPull' } } },
      {},
      'cannot start container app: image web:1 is not on nodes w1 and w2 and its pull policy is Never',
    ],
    [
      'an eviction',
      starting,
      { phase: 'Failed', status: { reason: 'Evicted', message: 'Low on memory.' } },
      'was evicted from nodes w1 and w2: Low on memory.',
    ],
  ])('names all nodes of %s', (_, status, parts, says) => {
    expect(statements(podsOn(['w1', 'w2'], status, parts))).toEqual([
      `2 pods (web-1 and web-2) each ${says}`,
    ]);
  });

  it('gives the reason of each node that is not Ready', () => {
    const broken = (name: string, message: string) =>
      makeNode(name, {
        conditions: [{ type: 'Ready', status: 'False', reason: 'KubeletNotReady', message }],
      });
    const nodes = [broken('w1', 'no CNI'), broken('w2', 'no CNI')];
    expect(statements(podsOn(['w1', 'w2'], starting), { nodes })).toEqual([
      '2 pods (web-1 and web-2) each is on nodes w1 and w2, which are not Ready',
      'Node w1 is not Ready (KubeletNotReady: no CNI)',
      'Node w2 is not Ready (KubeletNotReady: no CNI)',
    ]);
  });

  it('gives the range of restarts and leaves out times that differ', () => {
    const pods = [...podsOn(['w1'], crashed(2, 3)), makePod({ name: 'web-2', statuses: [crashed(4, 5)] })];
    const logs = new Map(
      pods.map((p) => [logKey(p.metadata.name, 'app', true), `fatal in ${p.metadata.name}`]),
    );
    expect(statements(pods, { logs })).toEqual([
      '2 pods (web-1 and web-2) each has container app ending with exit code 3, restarted 2 to 4 times',
      'Log of app ends: fatal in web-1',
    ]);
  });

  it('leaves out how long pods have been terminating when that differs', () => {
    const ending = (name: string, secondsLeft: number): Pod =>
      makePod({
        name,
        statuses: [{ state: { running: {} } }],
        metadata: { deletionTimestamp: ago(-secondsLeft), deletionGracePeriodSeconds: 30 },
      });
    expect(statements([ending('web-1', 20), ending('web-2', 15)], { now: NOW })).toEqual([
      '2 pods (web-1 and web-2) each has been terminating and 1 container still runs (app): it ignores SIGTERM or needs long to finish; it will be killed',
    ]);
  });
});
