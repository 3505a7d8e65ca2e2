/** What users read when all three replicas of a workload have the same trouble. */
import { describe, expect, it } from 'vitest';
import type { Container, Pod } from '../../kube/api/types.ts';
import {
  ago,
  makeDeployment,
  makeEvent,
  makeNode,
  makePod,
  makeReplicaSet,
  makeWorld,
} from '../../testing/sample-world.ts';
import { flattenChains } from './diagnose.ts';
import { explain } from './explain.ts';
import type { World } from './world.ts';
import { logKey } from './world.ts';

const owner = { kind: 'ReplicaSet', name: 'web-abc', uid: 'uid-web-abc' };
const names = ['web-1', 'web-2', 'web-3'];
const initializing = { state: { waiting: { reason: 'PodInitializing' } } };

function replicas(
  containers: { init?: Partial<Container>; main?: Partial<Container> },
  statusOf: (i: number) => Pick<Parameters<typeof makePod>[0], 'inits' | 'statuses'>,
): Pod[] {
  const { init, main } = containers;
  return names.map((name, i) =>
    makePod({
      name,
      owner,
      spec: {
        nodeName: `n${i + 1}`,
        ...(init ? { initContainers: [{ name: 'setup', image: 'a', ...init }] } : {}),
        containers: [{ name: 'app', image: 'web:1', ...main }],
      },
      ...statusOf(i),
    }),
  );
}

function told(world: Partial<World>): string[] {
  const deployment = makeDeployment({ status: { replicas: 3, updatedReplicas: 3 } });
  const workloads = [deployment, makeReplicaSet()];
  const { causes, hint } = flattenChains(explain(makeWorld({ workloads, ...world })));
  return [...causes.map((c) => `${c.object} ${c.says}`), hint ?? ''];
}

const logs = (container: string, text: string) =>
  new Map(names.flatMap((name) => [true, false].map((old) => [logKey(name, container, old), text] as const)));

describe('three replicas', () => {
  it.each<[string, Partial<World>, RegExp[], RegExp]>([
    [
      'whose init containers wait',
      {
        pods: replicas({ init: {} }, (i) => ({
          inits: [{ name: 'setup', state: { running: { startedAt: ago(40 + i) } } }],
          statuses: [initializing],
        })),
        logs: logs('setup', 'waiting for db:5432\nwaiting for db:5432\n'),
      },
      [
        /^3 pods .* each is still starting: init container setup has been running and has not ended/,
        /^Log of setup ends: waiting for db:5432$/,
      ],
      /PodInitializing/,
    ],
    [
      'whose sidecars are not ready',
      {
        pods: replicas(
          {
            init: {
              restartPolicy: 'Always',
              readinessProbe: { exec: { command: ['cat', '/tmp/shipping'] } },
            },
          },
          () => ({
            inits: [{ name: 'setup', started: true, state: { running: {} } }],
            statuses: [{ ready: true, state: { running: {} } }],
          }),
        ),
        events: names.map((name) =>
          makeEvent({
            about: { name, fieldPath: 'spec.initContainers{setup}' },
            reason: 'Unhealthy',
            message: "Readiness probe failed: cat: can't open '/tmp/shipping': No such file or directory",
          }),
        ),
      },
      [/each is not ready: the readiness probe of sidecar setup fails: .*cat \/tmp\/shipping.*No such file/],
      /still starting/,
    ],
    [
      'that pull what their nodes have',
      {
        pods: replicas({ main: { imagePullPolicy: 'Always', image: 'ghcr.io/a/b:v1' } }, () => ({
          statuses: [{ state: { waiting: { reason: 'ErrImagePull', message: 'denied' } } }],
        })),
        nodes: ['n1', 'n2', 'n3'].map((name) => {
          const node = makeNode(name);
          return { ...node, status: { ...node.status, images: [{ names: ['ghcr.io/a/b:v1'] }] } };
        }),
      },
      [
        /each cannot pull .* its pull policy is Always, so the copy that is on nodes n1, n2 and n3 is not used/,
      ],
      /load the image into the nodes|imagePullSecrets/,
    ],
    [
      'whose init containers have too little memory to start',
      {
        pods: replicas({ init: { resources: { limits: { memory: '1Mi' } } } }, (i) => ({
          inits: [
            {
              name: 'setup',
              restartCount: i,
              state: { waiting: { reason: 'CrashLoopBackOff' } },
              lastState: {
                terminated: {
                  exitCode: 128,
                  reason: 'StartError',
                  message: 'container init was OOM-killed (memory limit too low?)',
                },
              },
            },
          ],
          statuses: [initializing],
        })),
      },
      [/each cannot start init container setup: it is out of memory .* its memory limit is 1Mi$/],
      /PodInitializing/,
    ],
    [
      'whose server has no standard input',
      {
        pods: replicas({}, (i) => ({
          statuses: [
            {
              restartCount: 2 + i,
              state: { waiting: { reason: 'CrashLoopBackOff' } },
              lastState: { terminated: { exitCode: 0, startedAt: ago(5), finishedAt: ago(5) } },
            },
          ],
        })),
        logs: logs('app', 'serving on stdio\nend of input\n'),
      },
      [/each has container app ending with exit code 0 at once, restarted 2 to 4 times/, /stdin is not set/],
      /crash/i,
    ],
  ])('%s', (_, world, says, never) => {
    const lines = told(world);
    expect(lines[0]).toMatch(/^Deployment web has 0 of 3 replicas available/);
    for (const pattern of says) expect(lines).toContainEqual(expect.stringMatching(pattern));
    expect(lines.join('\n')).not.toMatch(never);
    expect(lines.filter((line) => line.startsWith('Pod ') || line.startsWith('3 pods'))).toHaveLength(1);
  });
});
