/** The configuration file of `kind create cluster`, made of a topology and what is known of engine and node image. Pure. */
import { stringify } from 'yaml';
import type { Topology } from '../cluster.ts';
import { restrictOomScorePatch, runtimeAliasPatch } from './containerd-runtime.ts';
import { GPU_RUNTIME_BINARY, GPU_RUNTIME_HANDLER, simulatesGpus } from './gpu-runtime.ts';
import type { PlannedNode } from './planned-nodes.ts';
import { plannedNodes } from './planned-nodes.ts';

/** Where every node sees the folder behind storage classes that several nodes can mount; image archives pass through it too. */
export const SHARED_STORAGE_PATH = '/var/local/kindproof-shared';

export interface EngineFacts {
  cgroupVersion: 'v1' | 'v2';
  /** CAP_SYS_RESOURCE is in the bounding set of containers: processes may lower their oom_score_adj. */
  sysResource: boolean;
}

export interface NodeImageFacts {
  /** What `docker run` takes: a reference, or an ID. */
  ref: string;
  /** `v1.36.3`. */
  kubernetes: string;
  /** /etc/containerd/config.toml of the image. */
  containerdConfig: string;
}

export interface KindConfigInput {
  name: string;
  topology: Topology;
  image: NodeImageFacts;
  engine: EngineFacts;
  /** Absolute folder on the engine's machine that every node mounts as SHARED_STORAGE_PATH. */
  sharedFolder?: string | undefined;
}

/**
 * Renders the configuration (kind.x-k8s.io/v1alpha4).
 *
 * The API server listens on 127.0.0.1 only, on a port that kind chooses. Labels are kind's own, taints kubeadm's: both survive
 * a node that registers again.
 */
export function renderKindConfig(input: KindConfigInput): string {
  const { engine, image, topology } = input;
  const featureGates = engine.sysResource ? undefined : { KubeletInUserNamespace: true };
  const kubeadmConfigPatches = needsCgroupV1Consent(input)
    ? // The kubelet of 1.35 and later refuses cgroup v1 unless told otherwise (KEP-4569).
      [stringify({ kind: 'KubeletConfiguration', failCgroupV1: false })]
    : undefined;
  const containerdConfigPatches = [
    ...(topology.runtimeClasses ?? []).map((handler) =>
      runtimeAliasPatch(image.containerdConfig, handler, binaryOf(handler, topology)),
    ),
    ...(engine.sysResource ? [] : [restrictOomScorePatch(image.containerdConfig)]),
  ];
  return stringify({
    kind: 'Cluster',
    apiVersion: 'kind.x-k8s.io/v1alpha4',
    name: input.name,
    networking: { apiServerAddress: '127.0.0.1', ipFamily: 'ipv4' },
    ...(featureGates && { featureGates }),
    ...(kubeadmConfigPatches && { kubeadmConfigPatches }),
    ...(containerdConfigPatches.length > 0 && { containerdConfigPatches }),
    nodes: plannedNodes(input.name, topology).map((node) => renderNode(node, input)),
  });
}

/** Only the handler of GPUs is more than a name, and only where there are GPUs. */
function binaryOf(handler: string, topology: Topology): string | undefined {
  return handler === GPU_RUNTIME_HANDLER && simulatesGpus(topology) ? GPU_RUNTIME_BINARY : undefined;
}

function renderNode(node: PlannedNode, input: KindConfigInput): Record<string, unknown> {
  const { sharedFolder } = input;
  return {
    role: node.role,
    image: input.image.ref,
    ...(Object.keys(node.labels).length > 0 && { labels: node.labels }),
    ...(sharedFolder !== undefined && {
      extraMounts: [{ hostPath: sharedFolder, containerPath: SHARED_STORAGE_PATH }],
    }),
    ...(node.taints.length > 0 && {
      kubeadmConfigPatches: [
        stringify({ kind: 'JoinConfiguration', nodeRegistration: { taints: node.taints } }),
      ],
    }),
  };
}

/** The field exists since 1.31; an older kubelet rejects unknown fields. */
function needsCgroupV1Consent({ engine, image }: KindConfigInput): boolean {
  const [, major, minor] = /^v?(\d+)\.(\d+)/.exec(image.kubernetes) ?? [];
  return engine.cgroupVersion === 'v1' && (Number(major) > 1 || Number(minor) >= 31);
}
