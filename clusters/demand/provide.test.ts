import { readFile } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import type { KubeObject, PodSpec } from '../../harness/kube/api/types.ts';
import type { Topology } from '../../harness/kube/cluster/cluster.ts';
import { LABELS, object, sampleContainer, sampleDeployment } from '../../harness/testing/sample-objects.ts';
import { describeTopology, mergeTopologies } from '../topology.ts';
import { provideFor } from './provide.ts';

const PLAIN: Topology = { groups: [{ name: 'worker', count: 2 }] };
const HOSTNAME = 'kubernetes.io/hostname';
const ZONE = 'topology.kubernetes.io/zone';

/** The cluster, what was provided and what was not, as text. */
function provided(...objects: KubeObject[]) {
  const { topology, provided: list } = provideFor(objects, PLAIN, { namespace: 'default' });
  // The cluster of a run is a merged one.
  expect(mergeTopologies([topology])).toEqual(topology);
  const text = ({ what, why }: { what: string; why: string }) => `${what} <- ${why}`;
  return {
    topology,
    cluster: describeTopology(topology).replace('1 control plane, ', ''),
    given: list.given.map(text),
    missing: list.missing.map(text),
  };
}

const own = { labelSelector: { matchLabels: LABELS } };
const apart = (topologyKey: string, term: object = own) => ({
  podAntiAffinity: { requiredDuringSchedulingIgnoredDuringExecution: [{ topologyKey, ...term }] },
});
const preferred = (topologyKey: string) => ({
  podAntiAffinity: {
    preferredDuringSchedulingIgnoredDuringExecution: [
      { weight: 1, podAffinityTerm: { topologyKey, ...own } },
    ],
  },
});
const nodeAffinity = (...terms: object[][]) => ({
  nodeAffinity: {
    requiredDuringSchedulingIgnoredDuringExecution: {
      nodeSelectorTerms: terms.map((matchExpressions) => ({ matchExpressions })),
    },
  },
});
/** Its updates remove a pod first, so they need no further node. */
const inPlace = { strategy: { rollingUpdate: { maxSurge: 0, maxUnavailable: 1 } } };
const named = (name: string, spec: Partial<PodSpec>, fields: Record<string, unknown> = {}): KubeObject => ({
  ...sampleDeployment(spec, {
    ...inPlace,
    template: { metadata: { labels: { app: name } }, spec: podOf(spec) },
    ...fields,
  }),
  metadata: { name },
});
const podOf = (spec: Partial<PodSpec>) => ({ containers: [sampleContainer()], ...spec });
const daemonSet = (spec: Partial<PodSpec>): KubeObject => ({ ...sampleDeployment(spec), kind: 'DaemonSet' });
const pod = (spec: Partial<PodSpec>) => object('v1', 'Pod', 'test', { spec: podOf(spec) });
const withGpus = (gpus: string) =>
  sampleContainer({ resources: { limits: { 'nvidia.com/gpu': gpus, cpu: '1', 'hugepages-2Mi': '2Mi' } } });

const valuesOf = async (file: string) =>
  parse(await readFile(new URL(`../../fixtures/${file}`, import.meta.url), 'utf8')) as PodSpec & {
    replicaCount: number;
  };

describe('the cluster of a reference subject', () => {
  it('has three workers with the label of Toolman', async () => {
    const { replicaCount, nodeSelector, tolerations, affinity } = await valuesOf(
      'values/toolman/reference.yaml',
    );
    const labels = { 'app.kubernetes.io/name': 'toolman' };
    const toolman = named(
      'toolman',
      {},
      {
        replicas: replicaCount,
        strategy: { rollingUpdate: { maxSurge: 1, maxUnavailable: 0 } },
        template: { metadata: { labels }, spec: podOf({ nodeSelector, tolerations, affinity } as PodSpec) },
      },
    );
    expect(provided(toolman)).toMatchObject({
      cluster: '3 × worker (workload-type=tools)',
      given: [
        `3 workers <- preferred anti-affinity of Deployment toolman over ${HOSTNAME}`,
        'label workload-type=tools on 3 workers <- node selection of Deployment toolman',
      ],
      missing: [],
    });
  });

  it('has a GPU node for the agent, as its suite has', async () => {
    const { nodeSelector, tolerations } = await valuesOf('charts/k8s-mcp-agent/values.yaml');
    const spec = { nodeSelector, tolerations, runtimeClassName: 'nvidia' } as PodSpec;
    expect(provided(daemonSet(spec), pod(spec))).toMatchObject({
      cluster:
        '2 × worker, 1 × gpu (nvidia.com/gpu.present=true, taint nvidia.com/gpu=present:NoSchedule, 4 GPUs), runtime handler nvidia',
      given: [
        '3 workers <- node selection of DaemonSet web',
        'label nvidia.com/gpu.present=true on 1 worker <- node selection of DaemonSet web and Pod test',
        'taint nvidia.com/gpu=present:NoSchedule on 1 worker <- selection and tolerations of DaemonSet web and Pod test',
        '1 GPU worker with 4 simulated GPUs <- runtimeClassName of DaemonSet web and runtimeClassName of Pod test',
        'RuntimeClass nvidia <- runtimeClassName of DaemonSet web and Pod test',
      ],
    });
  });

  it('is plain for workloads that share two nodes', () => {
    const web = sampleDeployment({ affinity: preferred(HOSTNAME) });
    const store = { ...named('store', {}), kind: 'StatefulSet' };
    const agent = daemonSet({ nodeSelector: { 'kubernetes.io/os': 'linux' } });
    expect(provided(web, store, agent, pod({}))).toMatchObject({ topology: PLAIN, given: [], missing: [] });
  });
});

describe('the number of workers', () => {
  it.each<[string, KubeObject, number]>([
    [
      'required anti-affinity',
      sampleDeployment({ affinity: apart(HOSTNAME) }, { replicas: 3, ...inPlace }),
      3,
    ],
    ['an update that adds a pod first', sampleDeployment({ affinity: apart(HOSTNAME) }, { replicas: 3 }), 4],
    ['an update that may remove a pod', sampleDeployment({ affinity: apart(HOSTNAME) }, { replicas: 4 }), 4],
    [
      'Recreate',
      sampleDeployment({ affinity: apart(HOSTNAME) }, { replicas: 3, strategy: { type: 'Recreate' } }),
      3,
    ],
    ['replicas without rules', sampleDeployment({}, { replicas: 9 }), 2],
    ['anti-affinity to others', sampleDeployment({ affinity: apart(HOSTNAME, {}) }, { replicas: 4 }), 2],
    ['a preference', sampleDeployment({ affinity: preferred(HOSTNAME) }, { replicas: 9 }), 3],
    [
      'a host port',
      sampleDeployment(
        { containers: [sampleContainer({ ports: [{ containerPort: 80, hostPort: 80 } as never] })] },
        { replicas: 3, ...inPlace },
      ),
      3,
    ],
    [
      'minDomains',
      sampleDeployment(
        { topologySpreadConstraints: [{ topologyKey: HOSTNAME, maxSkew: 1, minDomains: 4 }] },
        { replicas: 6 },
      ),
      4,
    ],
    ['a DaemonSet', daemonSet({ affinity: apart(HOSTNAME) }), 2],
    ['malformed rules', sampleDeployment({ affinity: { podAntiAffinity: [1] } }, { replicas: 4 }), 2],
  ])('fits %s', (_, workload, workers) => {
    const { topology, missing } = provided(workload);
    expect(topology.groups).toEqual([{ name: 'worker', count: workers }]);
    expect(missing).toEqual([]);
  });

  it('keeps a workload away from those that it must not be with', () => {
    const selector = { labelSelector: { matchLabels: { app: 'db' } } };
    const web = named('web', { affinity: apart(HOSTNAME, selector) });
    const database = named('db', { affinity: apart(HOSTNAME, selector) }, { replicas: 2 });
    expect(provided(web, database).given).toEqual([
      `3 workers <- required anti-affinity of Deployment db over ${HOSTNAME}`,
    ]);
  });

  it('is at most 5, and says what is missing', () => {
    const web = sampleDeployment({ affinity: apart(HOSTNAME) }, { replicas: 7, ...inPlace });
    const { topology, given, missing } = provided(web);
    const why = `required anti-affinity of Deployment web over ${HOSTNAME}`;
    expect(topology.groups).toEqual([{ name: 'worker', count: 5 }]);
    expect(given).toEqual([`5 workers <- ${why}`]);
    expect(missing).toEqual([`2 more workers: a cluster has at most 5 <- ${why}`]);
  });

  it('says why an update needs one more', () => {
    const { given } = provided(sampleDeployment({ affinity: apart(HOSTNAME) }));
    expect(given).toEqual([
      `3 workers <- required anti-affinity of Deployment web over ${HOSTNAME}, and one node more for its rolling update`,
    ]);
  });
});

describe('labels', () => {
  it.each<[string, Partial<PodSpec>, string]>([
    ['a nodeSelector', { nodeSelector: { disk: 'ssd' } }, '1 × worker-1 (disk=ssd), 1 × worker'],
    [
      'In',
      { affinity: nodeAffinity([{ key: 'disk', operator: 'In', values: ['ssd', 'nvme'] }]) },
      '(disk=ssd)',
    ],
    ['Exists', { affinity: nodeAffinity([{ key: 'disk', operator: 'Exists' }]) }, '(disk=true)'],
    ['Gt', { affinity: nodeAffinity([{ key: 'cores', operator: 'Gt', values: ['7'] }]) }, '(cores=8)'],
    [
      'selector and term together',
      {
        nodeSelector: { disk: 'nvme' },
        affinity: nodeAffinity([{ key: 'disk', operator: 'In', values: ['ssd', 'nvme'] }]),
      },
      '(disk=nvme)',
    ],
    [
      'the term that needs the fewest labels',
      {
        affinity: nodeAffinity(
          [{ key: HOSTNAME, operator: 'In', values: ['node-7'] }],
          [
            { key: 'disk', operator: 'Exists' },
            { key: 'cores', operator: 'Exists' },
          ],
          [{ key: 'pool', operator: 'In', values: ['a'] }],
        ),
      },
      '(pool=a)',
    ],
  ])('satisfy %s', (_, spec, text) => {
    const { cluster, missing } = provided(sampleDeployment(spec));
    expect(cluster).toContain(text.replace('worker-1 ', 'worker '));
    expect(missing).toEqual([]);
  });

  it.each<[string, Partial<PodSpec>]>([
    ['NotIn', { affinity: nodeAffinity([{ key: 'disk', operator: 'NotIn', values: ['hdd'] }]) }],
    ['DoesNotExist', { affinity: nodeAffinity([{ key: 'spot', operator: 'DoesNotExist' }]) }],
    ['labels of every node', { nodeSelector: { 'kubernetes.io/os': 'linux' } }],
    [
      'a preference',
      { affinity: { nodeAffinity: { preferredDuringSchedulingIgnoredDuringExecution: [{}] } } },
    ],
    ['a toleration alone', { tolerations: [{ key: 'dedicated', value: 'db', effect: 'NoSchedule' }] }],
    ['the control plane', { nodeSelector: { 'node-role.kubernetes.io/control-plane': '' } }],
  ])('are not given for %s', (_, spec) => {
    expect(provided(sampleDeployment(spec))).toMatchObject({ topology: PLAIN, given: [], missing: [] });
  });

  it.each<[string, Partial<PodSpec>]>([
    ['another operating system', { nodeSelector: { 'kubernetes.io/os': 'windows' } }],
    ['a node by its name', { nodeSelector: { [HOSTNAME]: 'node-7' } }],
    ['an invalid label', { nodeSelector: { disk: 'a b' } }],
    ['a boolean', { nodeSelector: { disk: true as never } }],
  ])('cannot be given for %s', (_, spec) => {
    const { topology, given, missing } = provided(sampleDeployment(spec));
    expect({ topology, given }).toEqual({ topology: PLAIN, given: [] });
    expect(missing).toEqual([
      'a node that fits: no label of a worker does <- node selection of Deployment web',
    ]);
  });

  it('are on different nodes if they contradict each other', () => {
    const workloads = ['a', 'b', 'c'].map((pool) => named(pool, { nodeSelector: { pool } }));
    expect(provided(...workloads)).toMatchObject({
      cluster: '1 × worker (pool=a), 1 × worker-2 (pool=b), 1 × worker-3 (pool=c)',
      given: [
        '3 workers <- node selection of Deployment c',
        'label pool=a on 1 worker <- node selection of Deployment a',
        'label pool=b on 1 worker <- node selection of Deployment b',
        'label pool=c on 1 worker <- node selection of Deployment c',
      ],
    });
  });

  it('leave a node for those that avoid them', () => {
    const one = named('one', { nodeSelector: { spot: 'true' } }, { replicas: 1 });
    const other = named('other', { affinity: nodeAffinity([{ key: 'spot', operator: 'DoesNotExist' }]) });
    expect(provided(one, other).cluster).toBe('1 × worker (spot=true), 1 × worker-2');
  });
});

describe('taints', () => {
  const spec: Partial<PodSpec> = {
    nodeSelector: { dedicated: 'db' },
    tolerations: [{ key: 'dedicated', operator: 'Equal', value: 'db', effect: 'NoSchedule' }],
  };

  it('are on further nodes, for what a selector and a toleration name together', () => {
    expect(provided(named('db', spec))).toMatchObject({
      cluster: '2 × worker, 1 × worker-2 (dedicated=db, taint dedicated=db:NoSchedule)',
      given: [
        '3 workers <- node selection of Deployment db',
        'label dedicated=db on 1 worker <- node selection of Deployment db',
        'taint dedicated=db:NoSchedule on 1 worker <- selection and tolerations of Deployment db',
      ],
    });
  });

  it('are not set when another workload selects the same nodes without a toleration', () => {
    const { cluster } = provided(named('db', spec), named('backup', { nodeSelector: { dedicated: 'db' } }));
    expect(cluster).toBe('1 × worker (dedicated=db), 1 × worker-2');
  });

  it('are not set for a toleration of another value', () => {
    const tolerations = [{ key: 'dedicated', value: 'cache', effect: 'NoSchedule' }];
    expect(provided(named('db', { ...spec, tolerations })).cluster).not.toContain('taint');
  });
});

describe('topology domains', () => {
  const spread = (more: object = {}) => ({
    topologySpreadConstraints: [{ topologyKey: ZONE, maxSkew: 1, ...own, ...more }],
  });

  it.each<[string, Partial<PodSpec>]>([
    ['spread', spread()],
    ['preferred spread', spread({ whenUnsatisfiable: 'ScheduleAnyway' })],
    ['preferred anti-affinity', { affinity: preferred(ZONE) }],
  ])('are two for a %s over zones', (_, spec) => {
    const { cluster, given } = provided(sampleDeployment(spec));
    expect(cluster).toBe(`1 × worker (${ZONE}=zone-a), 1 × worker-2 (${ZONE}=zone-b)`);
    expect(given).toHaveLength(1);
    expect(given[0]).toContain(`label ${ZONE} with 2 values (zone-a, zone-b) <- `);
  });

  it('are as many as required anti-affinity needs', () => {
    const web = sampleDeployment({ affinity: apart(ZONE) }, { replicas: 3, ...inPlace });
    const { topology, given } = provided(web);
    expect(topology.groups.map(({ labels }) => labels?.[ZONE])).toEqual(['zone-a', 'zone-b', 'zone-c']);
    const why = `required anti-affinity of Deployment web over ${ZONE}`;
    expect(given).toEqual([
      `3 workers <- ${why}`,
      `label ${ZONE} with 3 values (zone-a, zone-b, zone-c) <- ${why}`,
    ]);
  });

  it('have the names that a selector uses', () => {
    const affinity = nodeAffinity([{ key: ZONE, operator: 'In', values: ['eu-1a', 'eu-1b'] }]);
    const { topology, missing } = provided(sampleDeployment({ ...spread(), affinity }));
    expect(topology.groups.map(({ labels }) => labels?.[ZONE])).toEqual(['eu-1a', 'eu-1b']);
    expect(missing).toEqual([]);
  });

  it('are the same for zones and regions', () => {
    const constraints = [ZONE, 'topology.kubernetes.io/region'].map((topologyKey) => ({
      topologyKey,
      maxSkew: 1,
    }));
    const { topology } = provided(sampleDeployment({ topologySpreadConstraints: constraints }));
    expect(topology.groups[1]?.labels).toEqual({
      [ZONE]: 'zone-b',
      'topology.kubernetes.io/region': 'region-b',
    });
  });

  it('put a selected label on nodes of different domains', () => {
    const web = sampleDeployment({ ...spread({ minDomains: 2 }), nodeSelector: { disk: 'ssd' } });
    expect(provided(web).cluster).toBe(
      `1 × worker (disk=ssd, ${ZONE}=zone-a), 1 × worker-2 (disk=ssd, ${ZONE}=zone-b)`,
    );
  });
});

describe('GPUs', () => {
  it('are enough for all pods of several releases', () => {
    expect(
      provided(sampleDeployment({ containers: [withGpus('2')] }, { replicas: 3, ...inPlace })),
    ).toMatchObject({
      cluster: '2 × worker, 1 × gpu (nvidia.com/gpu.present=true, 24 GPUs)',
      given: [
        '3 workers <- node selection of Deployment web',
        'label nvidia.com/gpu.present=true on 1 worker <- nvidia.com/gpu of Deployment web',
        '1 GPU worker with 24 simulated GPUs <- nvidia.com/gpu of Deployment web',
      ],
      missing: [],
    });
  });

  it('are on a node with the usual taint, also when the toleration does not fit it', () => {
    const tolerations = [{ key: 'nvidia.com/gpu', operator: 'Equal', value: 'true', effect: 'NoSchedule' }];
    const { cluster } = provided(
      daemonSet({ nodeSelector: { 'nvidia.com/gpu.present': 'true' }, tolerations }),
    );
    expect(cluster).toContain('taint nvidia.com/gpu=present:NoSchedule');
  });

  it('of other makers are not provided', () => {
    const containers = [sampleContainer({ resources: { limits: { 'amd.com/gpu': '1' } } })];
    expect(provided(sampleDeployment({ containers }))).toMatchObject({
      topology: PLAIN,
      missing: ['resource amd.com/gpu: only nvidia.com/gpu is simulated <- resources of Deployment web'],
    });
  });
});

describe('a RuntimeClass', () => {
  it('is provided for any name, and says what it is', () => {
    expect(provided(sampleDeployment({ runtimeClassName: 'gvisor' }))).toMatchObject({
      topology: { ...PLAIN, runtimeClasses: ['gvisor'] },
      given: [
        'RuntimeClass gvisor, which runs containers like any other <- runtimeClassName of Deployment web',
      ],
    });
  });

  it('that the subject renders is not provided', () => {
    const own = object('node.k8s.io/v1', 'RuntimeClass', 'gvisor', { handler: 'runsc' });
    const { topology, missing } = provided(own, sampleDeployment({ runtimeClassName: 'gvisor' }));
    expect(topology).toEqual(PLAIN);
    expect(missing).toEqual([expect.stringMatching(/^RuntimeClass gvisor: the subject renders it/)]);
  });

  it('gives metrics where an autoscaler measures them', () => {
    const autoscaler = object('autoscaling/v2', 'HorizontalPodAutoscaler', 'web', { spec: {} });
    expect(provided(sampleDeployment(), autoscaler)).toMatchObject({
      cluster: '2 × worker, metrics',
      given: ['metrics of pods and nodes <- HorizontalPodAutoscaler web'],
    });
    expect(provided(sampleDeployment()).topology.metrics).toBeUndefined();
  });
});
