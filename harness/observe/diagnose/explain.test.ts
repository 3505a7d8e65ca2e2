import { describe, expect, it } from 'vitest';
import type { Service } from '../../kube/api/types.ts';
import { flattenChains } from './diagnose.ts';
import { explain } from './explain.ts';
import {
  makeDeployment,
  makeEvent,
  makePod,
  makeReplicaSet,
  makeWorld,
  pendingPod,
} from '../../testing/sample-world.ts';
import type { World } from './world.ts';

const owner = { kind: 'ReplicaSet', name: 'web-abc', uid: 'uid-web-abc' };
const story = (world: Partial<World>, focus: { kind: string; name: string }[] = []) =>
  flattenChains(explain(makeWorld(world), focus)).causes.map((c) => `${c.object} ${c.says}`);
const service = (spec: Partial<Service['spec']>, name = 'web'): Service => ({
  apiVersion: 'v1',
  kind: 'Service',
  metadata: { name },
  spec,
});
const half = { replicas: 3, updatedReplicas: 3, availableReplicas: 1 };

describe('explain', () => {
  it('leads from the workload over its pods to the root, and groups equal pods', () => {
    const broken = (name: string) =>
      makePod({
        name,
        owner,
        spec: { nodeName: `node-of-${name}` },
        statuses: [{ state: { waiting: { reason: 'InvalidImageName' } } }],
      });
    const world = {
      workloads: [makeDeployment({ status: half }), makeReplicaSet()],
      pods: [
        broken('web-1'),
        broken('web-2'),
        makePod({
          name: 'web-3',
          owner,
          conditions: [{ type: 'Ready', status: 'True' }],
          statuses: [{ ready: true, state: { running: {} } }],
        }),
      ],
    };
    expect(story(world)).toEqual([
      'Deployment web has 1 of 3 replicas available',
      '2 pods (web-1 and web-2) each cannot start container app: "web:1" is not a valid image reference',
    ]);
  });

  it('explains why no pod is created', () => {
    const world = {
      workloads: [makeDeployment({ status: { availableReplicas: 0 } }), makeReplicaSet()],
      events: [
        makeEvent({
          about: { kind: 'ReplicaSet', name: 'web-abc' },
          reason: 'FailedCreate',
          message: 'Error creating: pods "x" is forbidden: pod rejected: RuntimeClass "nvidia" not found',
        }),
      ],
    };
    expect(story(world)).toEqual([
      'Deployment web has 0 of 3 replicas available',
      'ReplicaSet web-abc may not create its pods: they ask for RuntimeClass nvidia',
      'RuntimeClass nvidia does not exist',
    ]);
  });

  it('ignores a refusal after which pods were created', () => {
    const about = { kind: 'ReplicaSet', name: 'web-abc' };
    const world = {
      workloads: [makeDeployment({ status: half }), makeReplicaSet()],
      events: [
        makeEvent({ about, reason: 'FailedCreate', message: 'Error creating: no', secondsAgo: 30 }),
        makeEvent({
          about,
          type: 'Normal',
          reason: 'SuccessfulCreate',
          message: 'Created pod: web-1',
          secondsAgo: 5,
        }),
      ],
      pods: [pendingPod('0/1 nodes are available: 1 Insufficient cpu.')].map((p) => ({
        ...p,
        metadata: { ...p.metadata, ownerReferences: [owner] },
      })),
    };
    expect(story(world).join('\n')).not.toContain('Error creating');
  });

  it('puts roots before consequences, and leaves out starting pods when something is wrong', () => {
    const world = {
      pods: [
        makePod({ name: 'starting', statuses: [{ state: { waiting: { reason: 'ContainerCreating' } } }] }),
        makePod({ name: 'unready', statuses: [{ state: { running: {} } }] }),
        pendingPod('0/1 nodes are available: 1 Insufficient cpu.', {}, 'pending'),
      ],
      events: [
        makeEvent({
          about: { name: 'unready' },
          reason: 'Unhealthy',
          message: 'Readiness probe failed: HTTP probe failed with statuscode: 500',
        }),
      ],
    };
    const objects = flattenChains(explain(makeWorld(world))).causes.map((c) => c.object);
    expect(objects).toEqual(['Pod pending', 'Pod unready']);
  });

  it('returns nothing for a healthy namespace', () => {
    const pod = makePod({
      owner,
      conditions: [{ type: 'Ready', status: 'True' }],
      statuses: [{ ready: true, state: { running: {} } }],
    });
    const deployment = makeDeployment({
      replicas: 1,
      status: { replicas: 1, updatedReplicas: 1, availableReplicas: 1 },
    });
    expect(
      story({
        workloads: [deployment, makeReplicaSet()],
        pods: [pod],
        services: [service({ selector: { app: 'web' } })],
      }),
    ).toEqual([]);
  });

  it('reports an exceeded progressDeadlineSeconds', () => {
    const conditions = [
      { type: 'Progressing', status: 'False' as const, reason: 'ProgressDeadlineExceeded' },
    ];
    expect(story({ workloads: [makeDeployment({ status: { ...half, conditions } })] })[0]).toMatch(
      /1 of 3 .*progressDeadlineSeconds/,
    );
  });

  it('explains a failed Job by its pods', () => {
    const job = {
      ...makeDeployment({ name: 'migrate', kind: 'Job' }),
      status: { conditions: [{ type: 'Failed', status: 'True' as const, reason: 'BackoffLimitExceeded' }] },
    };
    const pod = makePod({
      name: 'migrate-1',
      owner: { kind: 'Job', name: 'migrate', uid: 'uid-migrate' },
      phase: 'Failed',
      statuses: [{ name: 'm', state: { terminated: { exitCode: 2 } } }],
    });
    expect(story({ workloads: [job], pods: [pod] })).toEqual([
      'Job migrate has failed: its pods failed more often than backoffLimit allows',
      'Pod migrate-1 has container m ending with exit code 2',
    ]);
  });

  it('reports an autoscaler without metrics', () => {
    const scaler = {
      apiVersion: 'autoscaling/v2',
      kind: 'HorizontalPodAutoscaler',
      metadata: { name: 'web' },
      spec: { scaleTargetRef: { kind: 'Deployment', name: 'web' } },
      status: {
        conditions: [
          {
            type: 'ScalingActive',
            status: 'False',
            reason: 'FailedGetResourceMetric',
            message: 'unable to get metrics',
          },
        ],
      },
    };
    expect(story({ autoscalers: [scaler] })[0]).toMatch(
      /HorizontalPodAutoscaler web cannot scale: it gets no metrics/,
    );
  });
});

describe('explain about Services', () => {
  const pods = [
    makePod({
      labels: { app: 'web', tier: 'front' },
      spec: { containers: [{ name: 'app', image: 'a', ports: [{ name: 'web', containerPort: 80 }] }] },
      conditions: [{ type: 'Ready', status: 'True' }],
      statuses: [{ ready: true, state: { running: {} } }],
    }),
  ];
  it('reports each label that the selector misses', () => {
    expect(story({ pods, services: [service({ selector: { app: 'wep', tier: 'front', x: 'y' } })] })).toEqual(
      [
        'Service web selects no pod: no pod has all of app=wep, tier=front, x=y',
        'Pod web-1 is the closest match: app is "web" instead of "wep" and x is absent instead of "y"',
      ],
    );
  });

  it('reports a target port that no container has', () => {
    expect(
      story({
        pods,
        services: [service({ selector: { app: 'web' }, ports: [{ port: 80, targetPort: 'http' }] })],
      }),
    ).toEqual([
      'Service web has no endpoints for port "http": no container has a port with that name',
      'Pod web-1 has only the port web',
    ]);
  });

  it('is limited to the focus', () => {
    const services = [
      service({ selector: { app: 'nope' } }, 'one'),
      service({ selector: { app: 'nope' } }, 'two'),
    ];
    expect(story({ pods, services }, [{ kind: 'Service', name: 'two' }])[0]).toMatch(/^Service two/);
    expect(story({ pods, services }, [{ kind: 'Service', name: 'two' }])).toHaveLength(2);
  });
});
