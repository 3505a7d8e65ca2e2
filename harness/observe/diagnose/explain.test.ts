import { describe, expect, it } from 'vitest';
import type { Service } from '../../kube/api/types.ts';
import { flattenChains } from './diagnose.ts';
import { explainSymptom } from './explain/symptom.ts';
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
import { logKey } from './world.ts';

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

  it('names the pods that an update needs beyond the quota', () => {
    const deployment = makeDeployment({
      status: { replicas: 3, updatedReplicas: 0, availableReplicas: 3 },
    });
    deployment.spec.strategy = { rollingUpdate: { maxSurge: '25%', maxUnavailable: 0 } };
    const refused = makeEvent({
      about: { kind: 'ReplicaSet', name: 'web-abc' },
      reason: 'FailedCreate',
      message:
        'Error creating: pods "web-abc-x" is forbidden: exceeded quota: web-pods, requested: pods=1, used: pods=3, limited: pods=3',
    });
    const world = { workloads: [deployment, makeReplicaSet()], events: [refused] };
    expect(story(world)).toEqual([
      'Deployment web has 3 of 3 replicas available, 0 of 3 updated to the latest revision',
      'ReplicaSet web-abc may not create its pods: quota web-pods is exhausted',
      'ResourceQuota web-pods allows pods=3; used pods=3; one more pod requests pods=1',
      'Update of Deployment web starts 1 pod beyond its 3 replicas before it ends an old one (maxSurge 25%, maxUnavailable 0)',
    ]);
    expect(flattenChains(explain(makeWorld(world))).hint).toMatch(/maxUnavailable: 1/);
    // Without old pods it is no update: then the quota does not admit the replicas themselves.
    deployment.status = { observedGeneration: 1, replicas: 0, updatedReplicas: 0, availableReplicas: 0 };
    expect(story(world).join('\n')).not.toContain('Update of');
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

  it('reports failed preStop hooks of pods that are gone, with the program of the hook', () => {
    const failed = (name: string) =>
      makeEvent({
        about: { name, fieldPath: 'spec.containers{app}' },
        reason: 'FailedPreStopHook',
        message: 'PreStopHook failed',
      });
    const replicaSet = makeReplicaSet();
    const lifecycle = { preStop: { exec: { command: ['bash', '-c', 'sleep 5'] } } };
    replicaSet.spec.template.spec.containers = [{ name: 'app', image: 'a', lifecycle }];
    const chains = explain(
      makeWorld({ workloads: [replicaSet], events: [failed('web-abc-1'), failed('web-abc-2')] }),
    );
    expect(flattenChains(chains)).toEqual({
      causes: [
        {
          object: 'Container app of 2 pods (web-abc-1 and web-abc-2)',
          says: 'ended early: its preStop hook failed (FailedPreStopHook): the command `bash -c sleep 5`; the container got SIGTERM at once',
        },
      ],
      hint: expect.stringMatching(/program bash of the preStop hook.*preStop\.sleep/),
    });
  });

  it('reports containers that ended and are ready now, when nothing else is wrong', () => {
    const migrating = (name: string, restartCount: number) =>
      makePod({
        name,
        owner,
        spec: {
          containers: [{ name: 'api', image: 'a', command: ['sh', '-c', 'alembic upgrade head && serve'] }],
        },
        conditions: [{ type: 'Ready', status: 'True' }],
        statuses: [
          {
            name: 'api',
            ready: true,
            restartCount,
            state: { running: {} },
            ...(restartCount > 0 && { lastState: { terminated: { exitCode: 1, reason: 'Error' } } }),
          },
        ],
      });
    const complete = { replicas: 3, updatedReplicas: 3, availableReplicas: 3 };
    const world = {
      workloads: [makeDeployment({ status: complete }), makeReplicaSet()],
      pods: [migrating('web-1', 1), migrating('web-2', 0), migrating('web-3', 1)],
      logs: new Map([
        [logKey('web-3', 'api', true), 'FATAL: relation "alembic_version" already exists'],
        [logKey('web-1', 'api', true), 'FATAL: connection closed'],
      ]),
    };
    expect(flattenChains(explain(makeWorld(world)))).toEqual({
      causes: [
        {
          object: 'Container api of 2 pods (web-1 and web-3)',
          says: 'ended with exit code 1, was restarted, and is ready now',
        },
        { object: 'Log of api', says: 'ended: FATAL: relation "alembic_version" already exists' },
        {
          object: 'Command of api',
          says: 'names "alembic" and starts with each of 3 replicas, so they migrate at the same time',
        },
      ],
      hint: expect.stringMatching(/runs once, or under a lock/),
    });
    const pending = pendingPod('0/1 nodes are available: 1 Insufficient cpu.', {}, 'pending');
    expect(story({ ...world, pods: [...world.pods, pending] }).join()).not.toContain('ready now');
  });

  it('says of a server that ended without an error, and is ready for a moment, that it has no input', () => {
    const at = (second: number) => `2026-03-01T12:00:0${second}Z`;
    const pod = makePod({
      owner,
      spec: { containers: [{ name: 'agent', image: 'a' }] },
      conditions: [{ type: 'Ready', status: 'True' }],
      statuses: [
        {
          name: 'agent',
          ready: true,
          restartCount: 1,
          state: { running: {} },
          lastState: { terminated: { exitCode: 0, startedAt: at(1), finishedAt: at(1) } },
        },
      ],
    });
    const complete = { replicas: 1, updatedReplicas: 1, availableReplicas: 1 };
    const workloads = [makeDeployment({ replicas: 1, status: complete }), makeReplicaSet()];
    expect(flattenChains(explain(makeWorld({ workloads, pods: [pod] })))).toEqual({
      causes: [
        {
          object: 'Container agent of pod web-1',
          says: 'ended with exit code 0, was restarted, and is ready now',
        },
        {
          object: 'Container agent',
          says: 'has no standard input (stdin is not set): a server on standard input sees its end and ends, too',
        },
      ],
      hint: expect.stringMatching(/^Set stdin: true/),
    });
  });

  it('prints warning events that nothing else explains', () => {
    const about = { kind: 'DaemonSet', name: 'agent' };
    const events = [
      makeEvent({ about, reason: 'FailedDaemonPod', message: 'Found failed daemon pod', count: 4 }),
      makeEvent({ reason: 'Unhealthy', message: 'Readiness probe failed: connection refused' }),
    ];
    expect(story({ events })).toEqual([
      'DaemonSet agent has 4 warning events FailedDaemonPod: Found failed daemon pod',
    ]);
  });

  it('reports evictions of pods that are gone', () => {
    const evicted = (name: string) =>
      makeEvent({
        about: { name },
        reason: 'Evicted',
        message: 'Usage of EmptyDir volume "tmp" exceeds the limit "1Mi". ',
      });
    const chains = explain(makeWorld({ events: [evicted('web-1'), evicted('web-2')] }));
    expect(flattenChains(chains)).toEqual({
      causes: [
        {
          object: '2 pods (web-1 and web-2)',
          says: 'were evicted, and are gone: Usage of EmptyDir volume "tmp" exceeds the limit "1Mi".',
        },
      ],
      hint: expect.stringMatching(/sizeLimit of volume tmp/),
    });
  });

  const ready = {
    apiVersion: 'discovery.k8s.io/v1',
    kind: 'EndpointSlice',
    metadata: { name: 'guard-1', labels: { 'kubernetes.io/service-name': 'guard' } },
    addressType: 'IPv4',
    endpoints: [{ addresses: ['10.0.0.1'], conditions: { ready: true } }],
  };

  it.each([
    [
      'has no ready endpoint',
      'Post "https://guard.demo.svc:443/?timeout=5s": dial tcp 10.96.0.5:443: connect: connection refused',
      [],
      'Service guard is in the namespace of the refused pods, and has no ready endpoint',
    ],
    [
      'does not listen',
      'Post "https://guard.demo.svc:443/?timeout=5s": dial tcp 10.96.0.5:443: connect: connection refused',
      [ready],
      'Service guard is in the namespace of the refused pods, and leads to port 8443, where nothing listens',
    ],
    [
      'does not speak TLS',
      'failed to call webhook: Post "https://guard.demo.svc:443/?timeout=5s": http: server gave HTTP response to HTTPS client',
      [ready],
      'Service guard is in the namespace of the refused pods, and leads to port 8443, which does not speak TLS, as every webhook has to',
    ],
    [
      'has no endpoints by the words of the API server',
      'failed to call webhook: Post "https://guard.demo.svc:443/?timeout=5s": no endpoints available for service "guard"',
      [],
      'Service guard is in the namespace of the refused pods, and has no ready endpoint',
    ],
  ])("follows the release's own webhook to its Service, which %s", (_, why, slices, says) => {
    const world = {
      workloads: [makeDeployment({ status: half }), makeReplicaSet()],
      services: [service({ selector: { app: 'web' }, ports: [{ port: 443, targetPort: 8443 }] }, 'guard')],
      slices,
      events: [
        makeEvent({
          about: { kind: 'ReplicaSet', name: 'web-abc' },
          reason: 'FailedCreate',
          message: `Error creating: Internal error occurred: failed calling webhook "pods.guard.example.test": ${why}`,
        }),
      ],
    };
    const { causes, hint } = flattenChains(explain(makeWorld(world)));
    const lines = causes.map((cause) => `${cause.object} ${cause.says}`);
    expect(lines[1]).toBe('ReplicaSet web-abc may not create its pods: an admission webhook does not answer');
    expect(lines[2]).toMatch(/^Webhook pods\.guard\.example\.test .*guard/);
    expect(lines[3]).toBe(says);
    expect(hint).toMatch(/^Exclude the pods of the release .*objectSelector/);
  });

  it('leaves a webhook of another namespace to its owner', () => {
    const world = {
      workloads: [makeDeployment({ status: half }), makeReplicaSet()],
      events: [
        makeEvent({
          about: { kind: 'ReplicaSet', name: 'web-abc' },
          reason: 'FailedCreate',
          message:
            'Error creating: failed calling webhook "w.test": Post "https://guard.policies.svc:443/": connect: connection refused',
        }),
      ],
    };
    const { causes, hint } = flattenChains(explain(makeWorld(world)));
    expect(causes).toHaveLength(3);
    expect(hint).toMatch(/^Check Service guard in namespace policies/);
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

describe('explain about what is true of a working release, too', () => {
  const owned = (name: string, parts: Parameters<typeof makePod>[0] = {}) =>
    makePod({
      name,
      owner,
      conditions: [{ type: 'Ready', status: 'True' }],
      statuses: [{ ready: true, state: { running: {} } }],
      ...parts,
    });
  const complete = makeDeployment({
    replicas: 2,
    status: { replicas: 2, updatedReplicas: 2, availableReplicas: 2 },
  });
  const volumes = [{ name: 'd', persistentVolumeClaim: { claimName: 'data' } }];
  const claim = (mode: string) => ({
    apiVersion: 'v1',
    kind: 'PersistentVolumeClaim',
    metadata: { name: 'data' },
    spec: { volumeName: 'pv', accessModes: [mode] },
    status: { phase: 'Bound' },
  });
  const volume = (...values: string[]) => ({
    apiVersion: 'v1',
    kind: 'PersistentVolume',
    metadata: { name: 'pv' },
    spec: {
      nodeAffinity: {
        required: {
          nodeSelectorTerms: [
            { matchExpressions: [{ key: 'kubernetes.io/hostname', operator: 'In', values }] },
          ],
        },
      },
    },
  });
  const tied = {
    workloads: [complete, makeReplicaSet()],
    pods: ['a', 'b'].map((n) => owned(n, { spec: { volumes } })),
  };

  it('names the claim that ties ready replicas to one node', () => {
    expect(story({ ...tied, claims: [claim('ReadWriteOnce')], volumes: [volume('n1')] })).toEqual([
      'Deployment web has 2 pods on node n1 that share PersistentVolumeClaim data',
      'PersistentVolumeClaim data (ReadWriteOnce) is bound to a volume that only node n1 can mount',
    ]);
    expect(story({ ...tied, claims: [claim('ReadWriteOnce')], volumes: [] })[1]).toBe(
      'PersistentVolumeClaim data (ReadWriteOnce) can be mounted by one node at a time',
    );
  });

  it('names the claim that a second node cannot attach', () => {
    const pod = makePod({ name: 'b', owner, spec: { volumes } });
    const message = 'Multi-Attach error for volume "pv" Volume is already used by pod(s) a';
    const told = story({
      pods: [pod],
      claims: [claim('ReadWriteOnce')],
      volumes: [],
      events: [makeEvent({ about: { name: 'b' }, reason: 'FailedAttachVolume', message })],
    });
    expect(told).toEqual([
      `Pod b cannot mount volume pv: ${message}`,
      'PersistentVolumeClaim data (ReadWriteOnce) can be mounted by one node at a time',
    ]);
  });

  it.each<[string, Partial<World>]>([
    ['a claim that every node can mount', { claims: [claim('ReadWriteMany')], volumes: [] }],
    ['a volume of two nodes', { claims: [claim('ReadWriteOnce')], volumes: [volume('n1', 'n2')] }],
    [
      'pods on two nodes',
      {
        claims: [claim('ReadWriteOnce')],
        pods: [owned('a', { spec: { volumes } }), owned('b', { spec: { volumes, nodeName: 'n2' } })],
      },
    ],
    ['claims that could not be read', {}],
  ])('is silent about %s', (_, parts) => {
    expect(story({ ...tied, ...parts })).toEqual([]);
  });

  it('names the workloads that one Service selects, and the labels that tell them apart', () => {
    const worker = makeDeployment({ name: 'worker', replicas: 0 });
    worker.spec.template.metadata = { labels: { app: 'web', component: 'worker' } };
    const world = {
      workloads: [{ ...complete, spec: { ...complete.spec, replicas: 0 } }, worker],
      services: [service({ selector: { app: 'web' } })],
    };
    expect(story(world)).toEqual([
      'Service web (app=web) selects the pods of Deployment web and Deployment worker: each of them that is ready and has its port gets requests, also where nothing listens',
      'Deployment worker alone has component=worker',
    ]);
    expect(story({ ...world, services: [service({ selector: { component: 'worker' } })] })).toEqual([]);
  });
});

describe('explain about a symptom', () => {
  const slices = [
    {
      apiVersion: 'discovery.k8s.io/v1',
      kind: 'EndpointSlice',
      metadata: { name: 'mcp-1', labels: { 'kubernetes.io/service-name': 'mcp' } },
      addressType: 'IPv4',
      endpoints: ['b', 'a'].map((name) => ({ addresses: ['10.0.0.1'], targetRef: { kind: 'Pod', name } })),
    },
  ];
  const chains = (symptom: string, spec: Partial<Service['spec']> = {}) =>
    explainSymptom(symptom, makeWorld({ services: [service(spec, 'mcp')], slices }));

  it.each(['404 {"error":{"message":"Session not found"}}', 'No valid session ID provided'])(
    'follows a lost session to the Service that spreads requests: %s',
    (symptom) => {
      const [chain] = chains(symptom, { sessionAffinity: 'None' });
      expect(chain?.causes).toEqual([
        {
          object: 'Service mcp',
          says: 'has 2 ready endpoints and no sessionAffinity: a request goes to any of the pods a and b, also when another pod has answered the one that opened its session',
        },
      ]);
      expect(chain?.hint).toMatch(/ClientIP, run one replica/);
    },
  );

  it.each<[string, string, Partial<Service['spec']>]>([
    ['affinity', 'Session not found', { sessionAffinity: 'ClientIP' }],
    ['no virtual address', 'Session not found', { clusterIP: 'None' }],
    ['another symptom', '404 page not found', {}],
  ])('says nothing with %s', (_, symptom, spec) => {
    expect(chains(symptom, spec)).toEqual([]);
  });
});
