/** What this folder implements; the harness declares it, because it depends on it without knowing who provides it. */
export type {
  CapabilityResult,
  Cluster,
  ClusterNode,
  GpuSource,
  NodeAccess,
  NodeGroup,
  Topology,
} from '../harness/kube/cluster/cluster.ts';
