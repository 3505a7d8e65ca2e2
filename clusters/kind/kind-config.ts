/** The configuration file for `kind create cluster`, from a topology and facts about engine and node image. Pure. */
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { stringify } from 'yaml';
import type { Topology } from '../../harness/kube/cluster/cluster.ts';
import { restrictOomScorePatch, runtimeAliasPatch } from './containerd-runtime.ts';
import { GPU_RUNTIME_BINARY, GPU_RUNTIME_HANDLER, simulatesGpus } from './gpu-runtime.ts';
import { cpuMount } from './node-cpus.ts';
import type { PlannedNode } from './planned-nodes.ts';
import { plannedNodes } from './planned-nodes.ts';

/** Path of the shared folder in every node: the volumes of the `shared` storage class, and image archives while they are imported. */
export const SHARED_STORAGE_PATH = '/var/local/kindproof-shared';

/** The shared folder on this machine. Named after the cluster and not the run, because a kept cluster outlives the run that created it. */
export function sharedFolderOf(cluster: string): string {
  return join(tmpdir(), `kindproof-shared-${cluster}`);
}

export interface EngineFacts {
  cgroupVersion: 'v1' | 'v2';
  /** Containers have CAP_SYS_RESOURCE in their bounding set: processes may lower their oom_score_adj. */
  sysResource: boolean;
}

export interface NodeImageFacts {
  /** A reference or an ID. */
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
  /** Absolute path of the folder on the engine's host that every node mounts as SHARED_STORAGE_PATH. */
  sharedFolder?: string | undefined;
}

/**
 * Renders the configuration (kind.x-k8s.io/v1alpha4).
 *
 * The API server listens only on 127.0.0.1, on a port that kind chooses. kind sets the labels and kubeadm the taints, so both survive
 * when a node registers again.
 */
export function renderKindConfig(input: KindConfigInput): string {
  const { engine, image, topology } = input;
  const featureGates = engine.sysResource ? undefined : { KubeletInUserNamespace: true };
  const kubeadmConfigPatches = needsCgroupV1Consent(input)
    ? // Since 1.35 the kubelet rejects cgroup v1 by default (KEP-4569).
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

/** Handlers are aliases of runc, except the GPU handler on clusters with GPUs. */
function binaryOf(handler: string, topology: Topology): string | undefined {
  return handler === GPU_RUNTIME_HANDLER && simulatesGpus(topology) ? GPU_RUNTIME_BINARY : undefined;
}

/** Labels of these namespaces that a kubelet may give its node; with others it does not start. */
const KUBELET_LABEL =
  /^(?:(?:[^/]*\.)?(?:kubelet|node)\.kubernetes\.io\/|topology\.kubernetes\.io\/(?:zone|region)$|failure-domain\.beta\.kubernetes\.io\/(?:zone|region)$|kubernetes\.io\/(?:hostname|os|arch)$|beta\.kubernetes\.io\/(?:instance-type|os|arch)$)/;

/**
 * Whether the kubelet sets the label when its node registers. Of the labels of Kubernetes only some are allowed (`--node-labels`,
 * pkg/kubelet/apis/well_known_labels.go); the others are set on the running cluster.
 */
export function kubeletSets(label: string): boolean {
  const isReserved = /^(?:[^/]*\.)?(?:kubernetes|k8s)\.io\//.test(label);
  return !isReserved || KUBELET_LABEL.test(label);
}

function renderNode(node: PlannedNode, input: KindConfigInput): Record<string, unknown> {
  const { sharedFolder, topology } = input;
  const labels = Object.fromEntries(Object.entries(node.labels).filter(([key]) => kubeletSets(key)));
  return {
    role: node.role,
    image: input.image.ref,
    ...(Object.keys(labels).length > 0 && { labels }),
    ...(sharedFolder !== undefined && {
      extraMounts: [
        { hostPath: sharedFolder, containerPath: SHARED_STORAGE_PATH },
        ...(topology.cpus === undefined ? [] : [cpuMount(sharedFolder)]),
      ],
    }),
    ...(node.taints.length > 0 && {
      kubeadmConfigPatches: [
        stringify({ kind: 'JoinConfiguration', nodeRegistration: { taints: node.taints } }),
      ],
    }),
  };
}

/** failCgroupV1 exists since 1.31; an older kubelet rejects unknown fields. */
function needsCgroupV1Consent({ engine, image }: KindConfigInput): boolean {
  const [, major, minor] = /^v?(\d+)\.(\d+)/.exec(image.kubernetes) ?? [];
  return engine.cgroupVersion === 'v1' && (Number(major) > 1 || Number(minor) >= 31);
}
