import { describe, expect, it } from 'vitest';
import type { ContainerStatus, KubeEvent, Pod, PodSpec } from '../../../kube/api/types.ts';
import { explainPod } from './pod.ts';
import {
  ago,
  makeEvent,
  makeNode,
  makePod,
  makeWorld,
  NOW,
  pendingPod,
} from '../../../testing/sample-world.ts';
import type { World } from '../world.ts';
import { logKey } from '../world.ts';

const explained = (pod: Pod, world: Partial<World> = {}) => {
  const trouble = explainPod(pod, makeWorld({ pods: [pod], ...world }));
  return (
    trouble && {
      says: trouble.says,
      upstream: trouble.upstream.map((c) => `${c.object} ${c.says}`),
      hint: trouble.hint,
    }
  );
};
const waiting = (reason: string, message = ''): Partial<ContainerStatus>[] => [
  { state: { waiting: { reason, message } } },
];

describe('a pod without a node', () => {
  const nodes = [
    makeNode('cp', { taints: [{ key: 'node-role.kubernetes.io/control-plane', effect: 'NoSchedule' }] }),
    makeNode('w1', { labels: { 'workload-type': 'tools' } }),
    makeNode('w2', { taints: [{ key: 'tools-only', value: 'true', effect: 'NoSchedule' }] }),
  ];
  const only = (text: string) => `0/3 nodes are available: ${text}.`;

  it.each([
    [
      '1 Insufficient cpu',
      { containers: [{ name: 'a', image: 'a', resources: { requests: { cpu: '64' } } }] },
      /too little free cpu \(it requests 64\)/,
      /Node w1 offers 2 cpu.*can never fit/,
    ],
    [
      '2 Insufficient nvidia.com/gpu',
      { containers: [{ name: 'a', image: 'a', resources: { limits: { 'nvidia.com/gpu': '1' } } }] },
      /nvidia.com\/gpu \(it requests 1\)/,
      /Nodes that it may use do not advertise nvidia.com\/gpu/,
    ],
    [
      '2 node(s) had untolerated taint(s)',
      {},
      /2 nodes have a taint that it does not tolerate \(tools-only=true:NoSchedule\)/,
      /Node w2 has the taint tools-only=true:NoSchedule/,
    ],
    [
      "3 node(s) didn't match Pod's node affinity/selector",
      { nodeSelector: { 'workload-type': 'toolz' } },
      /do not match its node selector \(workload-type=toolz\)/,
      /do not have workload-type=toolz: workload-type is tools on them/,
    ],
  ])('for %j', (text, spec, says, upstream) => {
    const result = explained(pendingPod(only(text), spec), { nodes });
    expect(result?.says).toMatch(says);
    expect(result?.upstream.join('\n')).toMatch(upstream);
    expect(result?.hint).toBeTypeOf('string');
  });

  const zones = [
    { topologyKey: 'topology.kubernetes.io/zone', maxSkew: 1, whenUnsatisfiable: 'DoNotSchedule' },
  ];
  it.each<[string, string, Partial<PodSpec>]>([
    [
      'spread constraint',
      "3 node(s) didn't match pod topology spread constraints (missing required label)",
      { topologySpreadConstraints: zones },
    ],
    [
      'affinity',
      "3 node(s) didn't match pod affinity rules",
      { affinity: { podAffinity: { requiredDuringSchedulingIgnoredDuringExecution: zones } } },
    ],
  ])('names the topology label of a %s that no node has', (_, text, spec) => {
    const result = explained(pendingPod(only(text), spec), { nodes });
    expect(result?.upstream).toEqual([
      'Nodes do not have the label topology.kubernetes.io/zone: none of 3 nodes has it',
    ]);
    expect(result?.hint).toMatch(/^No node has the label of topologyKey/);
  });

  it('names the anti-affinity that keeps it away', () => {
    const affinity = {
      podAntiAffinity: {
        requiredDuringSchedulingIgnoredDuringExecution: [
          {
            topologyKey: 'kubernetes.io/hostname',
            labelSelector: { matchExpressions: [{ key: 'app', operator: 'In', values: ['web'] }] },
          },
        ],
      },
    };
    const result = explained(
      pendingPod(only("2 node(s) didn't match pod anti-affinity rules, 1 node(s) had untolerated taint(s)"), {
        affinity,
      }),
      { nodes: [nodes[0]!, nodes[1]!] },
    );
    expect(result?.says).toBe(
      'is Pending: none of 3 nodes takes it: 2 nodes already run a pod that its required anti-affinity keeps away (app=web, one per kubernetes.io/hostname); 1 node is a control plane',
    );
  });

  const claimSpec = { volumes: [{ name: 'data', persistentVolumeClaim: { claimName: 'data' } }] };
  const claim = (spec: object, phase: string) => ({
    apiVersion: 'v1',
    kind: 'PersistentVolumeClaim',
    metadata: { name: 'data' },
    spec,
    status: { phase },
  });

  it('follows an unbound claim to a StorageClass that does not exist', () => {
    const result = explained(
      pendingPod(only('pod has unbound immediate PersistentVolumeClaims'), claimSpec),
      {
        claims: [claim({ storageClassName: 'fast-ssd' }, 'Pending')],
        storageClasses: [
          { apiVersion: 'storage.k8s.io/v1', kind: 'StorageClass', metadata: { name: 'standard' } },
        ],
      },
    );
    expect(result?.upstream).toEqual([
      'PersistentVolumeClaim data is Pending with StorageClass fast-ssd',
      'StorageClass fast-ssd does not exist (existing: standard)',
    ]);
  });

  it('quotes the provisioner', () => {
    const result = explained(
      pendingPod(only('pod has unbound immediate PersistentVolumeClaims'), claimSpec),
      {
        claims: [claim({ storageClassName: 'standard' }, 'Pending')],
        storageClasses: [
          { apiVersion: 'storage.k8s.io/v1', kind: 'StorageClass', metadata: { name: 'standard' } },
        ],
        events: [
          makeEvent({
            about: { kind: 'PersistentVolumeClaim', name: 'data' },
            reason: 'ProvisioningFailed',
            message: 'NodePath only supports ReadWriteOnce',
          }),
        ],
      },
    );
    expect(result?.upstream.join()).toContain('NodePath only supports ReadWriteOnce');
  });

  it('quotes the provisioner while the scheduler says nothing, because it waits for the volume', () => {
    const pod = makePod({ spec: claimSpec });
    delete pod.spec.nodeName;
    const world = {
      claims: [claim({ storageClassName: 'standard' }, 'Pending')],
      storageClasses: [
        { apiVersion: 'storage.k8s.io/v1', kind: 'StorageClass', metadata: { name: 'standard' } },
      ],
    };
    const failed = makeEvent({
      type: 'Warning',
      about: { kind: 'PersistentVolumeClaim', name: 'data' },
      reason: 'ProvisioningFailed',
      message: 'NodePath only supports ReadWriteOnce',
    });
    const result = explained(pod, { ...world, events: [failed] });
    expect(result?.says).toBe('is Pending: the scheduler waits for the volume of its PersistentVolumeClaim');
    expect(result?.upstream.join()).toContain('NodePath only supports ReadWriteOnce');
    expect(explained(pod, world)?.says).toContain('has not processed it yet');
  });

  it('follows a claim that is bound to one node', () => {
    const result = explained(
      pendingPod(only('1 node(s) had volume node affinity conflict, 1 Insufficient cpu'), claimSpec),
      {
        claims: [claim({ volumeName: 'pv-1', accessModes: ['ReadWriteOnce'] }, 'Bound')],
        volumes: [
          {
            apiVersion: 'v1',
            kind: 'PersistentVolume',
            metadata: { name: 'pv-1' },
            spec: {
              nodeAffinity: {
                required: {
                  nodeSelectorTerms: [
                    { matchExpressions: [{ key: 'kubernetes.io/hostname', operator: 'In', values: ['w2'] }] },
                  ],
                },
              },
            },
          },
        ],
      },
    );
    expect(result?.upstream).toEqual([
      'PersistentVolumeClaim data (ReadWriteOnce) is bound to a volume that only node w2 can mount',
    ]);
    expect(result?.hint).toMatch(/ReadWriteMany/);
  });

  it('draws no conclusion from unreadable lists', () => {
    expect(
      explained(pendingPod(only('pod has unbound immediate PersistentVolumeClaims'), claimSpec))?.upstream,
    ).toEqual([]);
  });
});

describe('a container that cannot be started', () => {
  const PULL =
    'Failed to pull image "ghcr.io/a/b:v9": rpc error: code = NotFound desc = failed to pull and unpack image "ghcr.io/a/b:v9": failed to resolve reference "ghcr.io/a/b:v9": ghcr.io/a/b:v9: not found';
  it.each([
    [
      waiting('ImagePullBackOff', 'Back-off pulling image "web:1"'),
      [makeEvent({ reason: 'Failed', message: PULL })],
      /cannot pull image web:1 for container app: the registry has no such image/,
    ],
    [
      waiting('ErrImagePull', 'dial tcp: lookup ghcr.io: no such host'),
      [],
      /the name of the registry cannot be resolved/,
    ],
    [
      waiting('ErrImagePull', 'pull access denied, repository does not exist or may require authorization'),
      [],
      /denies access/,
    ],
    [
      waiting('InvalidImageName', "couldn't parse image reference"),
      [],
      /"web:1" is not a valid image reference/,
    ],
    [waiting('ErrImageNeverPull'), [], /not on node n1 and its pull policy is Never/],
    [
      waiting('CreateContainerConfigError', 'secret "nope" not found'),
      [],
      /Secret nope, which its environment refers to, does not exist/,
    ],
    [
      waiting(
        'CreateContainerConfigError',
        'container has runAsNonRoot and image will run as root (pod: "x", container: app)',
      ),
      [],
      /runAsNonRoot is set and its image web:1 runs as root/,
    ],
    [
      [
        {
          restartCount: 2,
          state: { waiting: { reason: 'CrashLoopBackOff' } },
          lastState: {
            terminated: {
              exitCode: 128,
              reason: 'StartError',
              message: 'exec: "/no/program": stat /no/program: no such file or directory: unknown',
            },
          },
        },
      ],
      [],
      /has no program "\/no\/program"/,
    ],
    [
      undefined,
      [
        makeEvent({
          reason: 'FailedMount',
          message: 'MountVolume.SetUp failed for volume "config" : configmap "servers" not found',
        }),
      ],
      /ConfigMap servers, which it mounts, does not exist/,
    ],
    [
      undefined,
      [
        makeEvent({
          reason: 'FailedCreatePodSandBox',
          message:
            'Failed to create pod sandbox: rpc error: code = Unknown desc = failed to get sandbox runtime: no runtime for "nvidia" is configured',
        }),
      ],
      /node n1 has no handler "nvidia"/,
    ],
    [
      waiting('CreateContainerError', 'failed to create containerd container: sysctl "net.a" is not allowed'),
      [],
      /cannot start container app: it asks for the sysctl net\.a, which the node does not allow/,
    ],
    [
      waiting(
        'CreateContainerError',
        'cannot load seccomp profile "/var/lib/kubelet/seccomp/a.json": no such file',
      ),
      [],
      /cannot start container app: it asks for the seccomp profile \/var\/lib\/kubelet\/seccomp\/a\.json, which the node does not have/,
    ],
  ])('%#', (statuses, events, says) => {
    expect(explained(makePod(statuses ? { statuses } : {}), { events })?.says).toMatch(says);
  });

  const sandbox = (message: string) => [
    makeEvent({
      reason: 'FailedCreatePodSandBox',
      message: `Failed to create pod sandbox: rpc error: code = Unknown desc = ${message}`,
    }),
  ];

  it('says that runAsGroup needs runAsUser, which is a matter of the chart', () => {
    const pod = makePod({
      spec: {
        securityContext: { runAsNonRoot: true, runAsGroup: 2375 },
        initContainers: [{ name: 'setup', image: 'busybox:1' }],
      },
    });
    const events = sandbox(
      'failed to create containerd container: user group "2375" is specified without user',
    );
    expect(explained(pod, { events })).toMatchObject({
      says: 'cannot start: the container runtime refuses its sandbox, because its security context has runAsGroup 2375 without runAsUser',
      hint: expect.stringMatching(/^Set runAsUser beside runAsGroup/),
    });
  });

  it('does not acquit the chart of a refusal that it does not know', () => {
    const result = explained(makePod({}), { events: sandbox('something new') });
    expect(result?.says).toContain('the node cannot create its sandbox: something new');
    expect(result?.hint).toMatch(/If it names a setting of the pod, the chart is the cause/);
  });

  it('names the init container that runs as root', () => {
    const pod = makePod({
      spec: {
        securityContext: { runAsNonRoot: true },
        initContainers: [{ name: 'setup', image: 'busybox:1.35.0' }],
      },
      inits: [
        {
          name: 'setup',
          state: {
            waiting: {
              reason: 'CreateContainerConfigError',
              message: 'container has runAsNonRoot and image will run as root (pod: "x", container: setup)',
            },
          },
        },
      ],
      statuses: waiting('PodInitializing'),
    });
    expect(explained(pod)).toMatchObject({
      says: 'cannot start init container setup: runAsNonRoot is set and its image busybox:1.35.0 runs as root',
      hint: 'Set runAsUser of init container setup to a number other than 0, or use an image whose user is a number.',
    });
  });

  it('names the existing keys instead of the missing one', () => {
    const env = [{ name: 'LEVEL', valueFrom: { configMapKeyRef: { name: 'settings', key: 'level' } } }];
    const pod = makePod({
      spec: { containers: [{ name: 'app', image: 'web:1', env }] },
      statuses: waiting('CreateContainerConfigError', "couldn't find key level in ConfigMap demo/settings"),
    });
    const configMaps = [
      { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'settings' }, data: { Level: 'info' } },
    ];
    expect(explained(pod, { configMaps })).toMatchObject({
      says: 'cannot start container app: ConfigMap settings has no key "level" (for the variable LEVEL)',
      upstream: ['ConfigMap settings has only the key Level'],
    });
  });

  it('names a missing key of a volume', () => {
    const pod = makePod({ spec: { volumes: [{ name: 'config', configMap: { name: 'settings' } }] } });
    const events = [
      makeEvent({
        reason: 'FailedMount',
        message: 'MountVolume.SetUp failed for volume "config" : references non-existent config key: s.json',
      }),
    ];
    expect(explained(pod, { events })?.says).toBe(
      'cannot start: ConfigMap settings has no key "s.json", which volume config refers to',
    );
  });
});

describe('a container that ends', () => {
  const crashed = (
    exitCode: number,
    reason = 'Error',
    more: Partial<ContainerStatus> = {},
  ): Partial<ContainerStatus>[] => [
    {
      restartCount: 2,
      state: { waiting: { reason: 'CrashLoopBackOff' } },
      lastState: { terminated: { exitCode, reason, startedAt: ago(13), finishedAt: ago(10) } },
      ...more,
    },
  ];
  const log = (text: string, container = 'app') => new Map([[logKey('web-1', container, true), text]]);

  it('quotes the log of the previous instance', () => {
    expect(
      explained(makePod({ statuses: crashed(3) }), { logs: log('starting\nFATAL: no database\n') }),
    ).toMatchObject({
      says: 'has container app ending with exit code 3 after 3 s, restarted 2 times',
      upstream: ['Log of app ends: starting ⏎ FATAL: no database'],
    });
  });

  it.each([
    [139, /139 \(killed by SIGSEGV\)/],
    [137, /137 \(killed by SIGKILL\)/],
    [127, /127 \(command not found\)/],
  ])('explains exit code %i', (code, says) => {
    expect(explained(makePod({ statuses: crashed(code) }))?.says).toMatch(says);
  });

  const services = [
    {
      apiVersion: 'v1',
      kind: 'Service',
      metadata: { name: 'web-redis' },
      spec: { clusterIP: '10.96.0.7', ports: [{ port: 6379 }] },
    },
  ];

  it('names the Service whose variable the application took for its own', () => {
    const result = explained(makePod({ statuses: crashed(1) }), {
      services,
      logs: log('ValueError: invalid port "tcp://10.96.0.7:6379"'),
    });
    expect(result?.upstream.at(-1)).toBe(
      'Service web-redis gives every pod of its namespace the variable WEB_REDIS_PORT=tcp://10.96.0.7:6379, which the container does not set itself',
    );
    expect(result?.hint).toMatch(/enableServiceLinks: false/);
  });

  it.each<[string, Partial<PodSpec>, string]>([
    ['without service links', { enableServiceLinks: false }, 'invalid port "tcp://10.96.0.7:6379"'],
    ['with a log about something else', {}, 'no route to 10.96.0.7'],
    [
      'that sets the variable itself',
      { containers: [{ name: 'app', image: 'a', env: [{ name: 'WEB_REDIS_PORT', value: '1' }] }] },
      'WEB_REDIS_PORT is wrong',
    ],
  ])('blames no Service for a pod %s', (_, spec, text) => {
    const result = explained(makePod({ spec, statuses: crashed(1) }), { services, logs: log(text) });
    expect(result?.upstream.join()).not.toContain('Service web-redis');
  });

  it('advises against migrations at the same time', () => {
    const result = explained(makePod({ statuses: crashed(1) }), {
      logs: log('ERROR: relation "alembic_version" already exists'),
    });
    expect(result?.hint).toMatch(/^Several replicas change the same data/);
  });

  it('names the memory limit of an OOM-killed container', () => {
    const pod = makePod({
      spec: { containers: [{ name: 'app', image: 'a', resources: { limits: { memory: '8Mi' } } }] },
      statuses: crashed(137, 'OOMKilled'),
    });
    expect(explained(pod)?.says).toBe(
      'has container app OOMKilled (137), restarted 2 times: its memory limit is 8Mi',
    );
  });

  it('names an init container, its log and a hint', () => {
    const pod = makePod({
      inits: crashed(1, 'Error', { name: 'prepare' }),
      statuses: waiting('PodInitializing'),
    });
    const result = explained(pod, { logs: log('chown: /data: Operation not permitted', 'prepare') });
    expect(result?.says).toMatch(/^has init container prepare ending with exit code 1/);
    expect(result?.upstream.join()).toContain('Operation not permitted');
    expect(result?.hint).toMatch(/runAsUser/);
  });

  it('separates a kill by the liveness probe from a crash', () => {
    const spec = {
      containers: [
        {
          name: 'app',
          image: 'a',
          livenessProbe: {
            httpGet: { path: '/health', port: 3000 },
            periodSeconds: 10,
            initialDelaySeconds: 5,
          },
        },
      ],
    };
    const fieldPath = 'spec.containers{app}';
    const events = [
      makeEvent({
        about: { fieldPath },
        reason: 'Unhealthy',
        message:
          'Liveness probe failed: Get "http://10.244.1.5:3000/health": dial tcp 10.244.1.5:3000: connect: connection refused',
        count: 6,
      }),
      makeEvent({
        about: { fieldPath },
        type: 'Normal',
        reason: 'Killing',
        message: 'Container app failed liveness probe, will be restarted',
      }),
    ];
    const result = explained(makePod({ spec, statuses: crashed(143) }), { events });
    expect(result).toMatchObject({
      says: 'has container app killed by its liveness probe, restarted 2 times: GET /health on port 3000 is refused: nothing listens there',
      upstream: ['Liveness probe of app allows 5 s and then 3 failures 10 s apart'],
    });
    expect(result?.hint).toMatch(/startupProbe/);
  });

  it.each([
    [
      'an init container that succeeded',
      makePod({
        inits: [{ name: 'i', ready: true, state: { terminated: { exitCode: 0 } } }],
        statuses: [{ ready: true, state: { running: {} } }],
        conditions: [{ type: 'Ready', status: 'True' }],
      }),
    ],
    [
      'a container that recovered',
      makePod({
        statuses: crashed(1, 'Error', { ready: true, state: { running: {} } }),
        conditions: [{ type: 'Ready', status: 'True' }],
      }),
    ],
    ['a pod that succeeded', makePod({ phase: 'Succeeded' })],
  ])('has nothing to say about %s', (_, pod) => {
    expect(explained(pod)).toBeUndefined();
  });
});

describe('a pod that runs and is not ready', () => {
  const spec = {
    containers: [
      {
        name: 'app',
        image: 'a',
        ports: [{ name: 'http', containerPort: 3000 }],
        readinessProbe: { httpGet: { path: '/ready', port: 'http' }, timeoutSeconds: 2 },
      },
    ],
  };
  const running = [{ started: true, state: { running: {} } }];
  it.each([
    [
      'Readiness probe failed: HTTP probe failed with statuscode: 500',
      'GET /ready on port http (3000) answers 500',
    ],
    [
      'Readiness probe failed: HTTP probe failed with statuscode: 404',
      'GET /ready on port http (3000) answers 404',
    ],
    [
      'Readiness probe failed: Get "http://x/ready": context deadline exceeded (Client.Timeout exceeded while awaiting headers)',
      'GET /ready on port http (3000) gives no answer within 2 s',
    ],
    [
      'Readiness probe failed: Get "http://x/ready": dial tcp 10.0.0.1:3000: connect: connection refused',
      'GET /ready on port http (3000) is refused: nothing listens there',
    ],
  ])('%s', (message, says) => {
    const events = [makeEvent({ reason: 'Unhealthy', message })];
    expect(explained(makePod({ spec, statuses: running }), { events })?.says).toBe(
      `is not ready: the readiness probe of container app fails: ${says}`,
    );
  });

  it.each([
    [
      '50m',
      ['Container app has a CPU limit of 50m: a process that needs more is throttled, and answers late'],
    ],
    ['2', []],
  ])('names a CPU limit of %s behind a probe without an answer', (cpu, upstream) => {
    const containers = spec.containers.map((one) => ({ ...one, resources: { limits: { cpu } } }));
    const message = 'Readiness probe failed: Get "http://x/ready": context deadline exceeded';
    const result = explained(makePod({ spec: { containers }, statuses: running }), {
      events: [makeEvent({ reason: 'Unhealthy', message })],
    });
    expect(result?.upstream).toEqual(upstream);
  });

  it('reports a container whose probe has not failed yet', () => {
    expect(explained(makePod({ spec, statuses: running }))?.says).toBe(
      'is not ready: container app runs, but no readiness probe has succeeded yet',
    );
  });
});

describe('nodes and endings', () => {
  it('reports an eviction and the pressure on the node', () => {
    const pod = makePod({
      phase: 'Failed',
      status: { reason: 'Evicted', message: 'The node was low on resource: memory.' },
    });
    const nodes = [
      makeNode('n1', {
        conditions: [
          { type: 'Ready', status: 'True' },
          { type: 'MemoryPressure', status: 'True', message: 'low' },
        ],
      }),
    ];
    expect(explained(pod, { nodes })).toMatchObject({
      says: 'was evicted from node n1: The node was low on resource: memory.',
      upstream: ['Node n1 has MemoryPressure: low'],
    });
  });

  const evicted = (message: string): KubeEvent => makeEvent({ reason: 'Evicted', message });
  const TMP = 'Usage of EmptyDir volume "tmp" exceeds the limit "1Mi". ';
  it.each<[string, Pod, KubeEvent[], string, RegExp]>([
    [
      'an emptyDir over its limit',
      makePod({ phase: 'Failed', status: { reason: 'Evicted', message: TMP } }),
      [],
      'was evicted from node n1: Usage of EmptyDir volume "tmp" exceeds the limit "1Mi".',
      /^Raise sizeLimit of volume tmp, or write less/,
    ],
    [
      'an eviction that only the event of the kubelet shows, because the pod ended in time',
      makePod({ phase: 'Succeeded' }),
      [evicted(TMP)],
      'was evicted from node n1: Usage of EmptyDir volume "tmp" exceeds the limit "1Mi".',
      /^Raise sizeLimit of volume tmp/,
    ],
    [
      'an eviction that the condition of the pod shows',
      makePod({
        phase: 'Failed',
        conditions: [
          {
            type: 'DisruptionTarget',
            status: 'True',
            reason: 'TerminationByKubelet',
            message: 'Pod ephemeral local storage usage exceeds the total limit of containers 8Mi. ',
          },
        ],
      }),
      [],
      'was evicted from node n1: Pod ephemeral local storage usage exceeds the total limit of containers 8Mi.',
      /ephemeral-storage/,
    ],
    [
      'a container over its limit',
      makePod({ phase: 'Failed', conditions: [] }),
      [evicted('Container app exceeded its local ephemeral storage limit "8Mi". ')],
      'was evicted from node n1: Container app exceeded its local ephemeral storage limit "8Mi".',
      /ephemeral-storage/,
    ],
    [
      'a node that runs out of memory',
      makePod({ phase: 'Succeeded' }),
      [evicted('The node was low on resource: memory.')],
      'was evicted from node n1: The node was low on resource: memory.',
      /Add memory or disk/,
    ],
  ])('reports %s', (_, pod, events, says, hint) => {
    const result = explained(pod, { events });
    expect(result?.says).toBe(says);
    expect(result?.hint).toMatch(hint);
  });

  it('reports a node that is not Ready', () => {
    const nodes = [
      makeNode('n1', {
        conditions: [
          {
            type: 'Ready',
            status: 'Unknown',
            reason: 'NodeStatusUnknown',
            message: 'Kubelet stopped posting node status.',
          },
        ],
      }),
    ];
    expect(explained(makePod({}), { nodes })).toMatchObject({
      says: 'is on node n1, which is not Ready',
      upstream: [expect.stringContaining('Kubelet stopped posting')],
    });
  });

  it.each([
    [
      'a finalizer',
      { deletionTimestamp: ago(20), finalizers: ['example.com/hold'] },
      [{ state: { terminated: { exitCode: 0 } } }],
      /the finalizer example.com\/hold holds it/,
    ],
    [
      'ignored SIGTERM',
      { deletionTimestamp: ago(-20), deletionGracePeriodSeconds: 30 },
      [{ state: { running: {} } }],
      /has been terminating for 10 s .*ignores SIGTERM.*killed in 20 s/,
    ],
    [
      'a kill at the end',
      { deletionTimestamp: ago(1), deletionGracePeriodSeconds: 5 },
      [{ state: { terminated: { exitCode: 137, reason: 'Error' } } }],
      /did not end within its grace period of 5 s/,
    ],
  ])('reports %s of a terminating pod', (_, metadata, statuses, says) => {
    expect(explained(makePod({ metadata, statuses }), { now: NOW })?.says).toMatch(says);
  });

  it('names the shell at which SIGTERM ends', () => {
    const command = ['sh', '-c', 'while true; do sleep 3600; done'];
    const pod = makePod({
      spec: { containers: [{ name: 'app', image: 'a', command }] },
      metadata: { deletionTimestamp: ago(1), deletionGracePeriodSeconds: 10 },
      statuses: [{ state: { terminated: { exitCode: 137, reason: 'Error' } } }],
    });
    expect(explained(pod)).toMatchObject({
      says: 'had to be killed (exit code 137): container app did not end within its grace period of 10 s',
      upstream: [expect.stringMatching(/^Container app has as process 1 a shell without exec or trap/)],
    });
  });

  it('returns undefined for a pod that terminates in time', () => {
    expect(
      explained(
        makePod({
          metadata: { deletionTimestamp: ago(-29), deletionGracePeriodSeconds: 30 },
          statuses: [{ state: { running: {} } }],
        }),
      ),
    ).toBeUndefined();
  });
});
