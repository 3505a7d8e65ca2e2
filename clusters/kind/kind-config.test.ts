import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { gpuGroup } from '../topology.ts';
import type { KindConfigInput } from './kind-config.ts';
import { renderKindConfig, SHARED_STORAGE_PATH } from './kind-config.ts';

const containerd2 = `
version = 3
[plugins.'io.containerd.cri.v1.runtime'.containerd.runtimes.runc]
  # per-pod shim
  runtime_type = "io.containerd.runc.v2"
  base_runtime_spec = "/etc/containerd/cri-base.json"
  [plugins.'io.containerd.cri.v1.runtime'.containerd.runtimes.runc.options]
    SystemdCgroup = true
[plugins.'io.containerd.cri.v1.runtime'.cni]
  bin_dir = "/opt/cni/bin"
`;

const input = (overrides: Partial<KindConfigInput> = {}): KindConfigInput => ({
  name: 'kp-x',
  topology: { groups: [{ name: 'tools', count: 3, labels: { 'workload-type': 'tools' } }] },
  image: { ref: 'node:v1', kubernetes: 'v1.36.3', containerdConfig: containerd2 },
  engine: { cgroupVersion: 'v2', sysResource: true },
  ...overrides,
});

const rendered = (overrides: Partial<KindConfigInput> = {}) =>
  parse(renderKindConfig(input(overrides))) as Record<string, unknown> & { nodes: Record<string, unknown>[] };

describe('renderKindConfig', () => {
  it('needs no patches on a host with cgroup v2 and CAP_SYS_RESOURCE', () => {
    const worker = { role: 'worker', image: 'node:v1', labels: { 'workload-type': 'tools' } };
    expect(rendered()).toEqual({
      kind: 'Cluster',
      apiVersion: 'kind.x-k8s.io/v1alpha4',
      name: 'kp-x',
      networking: { apiServerAddress: '127.0.0.1', ipFamily: 'ipv4' },
      nodes: [{ role: 'control-plane', image: 'node:v1' }, worker, worker, worker],
    });
  });

  it('enables KubeletInUserNamespace where no process may lower its OOM score', () => {
    const config = rendered({ engine: { cgroupVersion: 'v2', sysResource: false } });
    expect(config['featureGates']).toEqual({ KubeletInUserNamespace: true });
    expect(config['containerdConfigPatches']).toEqual([
      '[plugins."io.containerd.cri.v1.runtime"]\n  restrict_oom_score_adj = true',
    ]);
    expect(config).not.toHaveProperty('kubeadmConfigPatches');
  });

  it.each([
    ['v1', 'v1.36.3', true],
    ['v1', 'v1.31.0', true],
    ['v1', 'v1.30.9', false],
    ['v2', 'v1.36.3', false],
  ] as const)(
    'on cgroup %s with %s sets failCgroupV1 to false: %s',
    (cgroupVersion, kubernetes, consents) => {
      const { image } = input();
      const config = rendered({
        engine: { cgroupVersion, sysResource: true },
        image: { ...image, kubernetes },
      });
      const patches = (config['kubeadmConfigPatches'] ?? []) as string[];
      expect(patches.map((patch) => parse(patch) as unknown)).toEqual(
        consents ? [{ kind: 'KubeletConfiguration', failCgroupV1: false }] : [],
      );
    },
  );

  it('taints GPU nodes when they join', () => {
    const node = rendered({ topology: { groups: [gpuGroup([2])] } }).nodes[1];
    expect(node).toMatchObject({ labels: { 'nvidia.com/gpu.present': 'true' } });
    expect(parse((node?.['kubeadmConfigPatches'] as string[])[0] ?? '')).toEqual({
      kind: 'JoinConfiguration',
      nodeRegistration: { taints: [{ key: 'nvidia.com/gpu', value: 'present', effect: 'NoSchedule' }] },
    });
  });

  it('gives a runtime handler all settings of runc', () => {
    const config = rendered({ topology: { groups: [], runtimeClasses: ['nvidia'] } });
    expect(config['containerdConfigPatches']).toEqual([
      [
        `[plugins.'io.containerd.cri.v1.runtime'.containerd.runtimes.nvidia]`,
        '  runtime_type = "io.containerd.runc.v2"',
        '  base_runtime_spec = "/etc/containerd/cri-base.json"',
        `[plugins.'io.containerd.cri.v1.runtime'.containerd.runtimes.nvidia.options]`,
        '  SystemdCgroup = true',
      ].join('\n'),
    ]);
  });

  it('runs the nvidia handler with the stand-in where nodes have GPUs', () => {
    const config = rendered({ topology: { groups: [gpuGroup([1])], runtimeClasses: ['nvidia', 'other'] } });
    const [nvidia, other] = config['containerdConfigPatches'] as [string, string];
    expect(nvidia.split('\n').slice(-3)).toEqual([
      `[plugins.'io.containerd.cri.v1.runtime'.containerd.runtimes.nvidia.options]`,
      '  SystemdCgroup = true',
      '  BinaryName = "/usr/local/bin/nvidia-container-runtime"',
    ]);
    expect(other).not.toContain('BinaryName');
  });

  it.each([
    ['runc has no options', '[plugins.x.containerd.runtimes.runc]\n  runtime_type = "y"'],
    ['runc has a binary', '[plugins.x.containerd.runtimes.runc.options]\n  BinaryName = "crun"'],
  ])('sets BinaryName once where %s', (_, containerdConfig) => {
    const { image } = input();
    const config = rendered({
      image: { ...image, containerdConfig },
      topology: { groups: [gpuGroup([1])], runtimeClasses: ['nvidia'] },
    });
    const patch = (config['containerdConfigPatches'] as string[])[0] ?? '';
    expect(patch).toContain(
      '[plugins.x.containerd.runtimes.nvidia.options]\n  BinaryName = "/usr/local/bin/nvidia-container-runtime"',
    );
    expect(patch.match(/BinaryName/g)).toHaveLength(1);
  });

  it.each([
    ['version = 2', 'io.containerd.grpc.v1.cri'],
    ['version = 4', 'io.containerd.cri.v1.runtime'],
  ])('uses default settings for a configuration with only "%s"', (containerdConfig, plugin) => {
    const { image } = input();
    const config = rendered({
      image: { ...image, containerdConfig },
      topology: { groups: [], runtimeClasses: ['nvidia'] },
    });
    expect((config['containerdConfigPatches'] as string[])[0]).toContain(
      `[plugins."${plugin}".containerd.runtimes.nvidia.options]`,
    );
  });

  it('leaves out labels with which a kubelet would not start', () => {
    const allowed = {
      disk: 'ssd',
      'example.com/pool': 'a',
      'topology.kubernetes.io/zone': 'zone-a',
      'node.kubernetes.io/instance-type': 'big',
      'sub.node.kubernetes.io/x': 'y',
      'kubernetes.azure.com/mode': 'user',
    };
    const refused = {
      'node-role.kubernetes.io/worker': '',
      'example.k8s.io/pool': 'a',
      'topology.kubernetes.io/rack': 'r',
    };
    const labels = { ...allowed, ...refused };
    const { nodes } = rendered({ topology: { groups: [{ name: 'all', count: 1, labels }] } });
    expect(nodes[1]?.['labels']).toEqual(allowed);
  });

  it('mounts the shared folder into every node', () => {
    const { nodes } = rendered({ sharedFolder: '/srv/shared' });
    for (const node of nodes) {
      expect(node['extraMounts']).toEqual([{ hostPath: '/srv/shared', containerPath: SHARED_STORAGE_PATH }]);
    }
  });

  it('quotes label values that YAML would read as another type', () => {
    const topology = { groups: [{ name: 'w', count: 1, labels: { flag: 'true', n: '1' } }] };
    expect(rendered({ topology }).nodes[1]?.['labels']).toEqual({ flag: 'true', n: '1' });
  });
});
