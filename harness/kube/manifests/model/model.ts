/**
 * The model of a subject: its workloads and what belongs to each of them, derived from the references between the rendered objects. Names
 * decide nothing, so it fits any chart.
 */
import type { KubeObject, Probe, Service } from '../../api/types.ts';
import type { PodTemplate } from '../objects.ts';

/** How the pods of a workload run: without an end, to an end, on a schedule; `test`: only for `helm test`. */
export type WorkloadCourse = 'long-running' | 'job' | 'scheduled' | 'test';

/** How many replicas the manifests ask for. An autoscaler may choose any number from `least` to `most`. */
export interface ExpectedReplicas {
  least: number;
  most: number;
  /** What states it: `spec.replicas`, `minReplicas of HorizontalPodAutoscaler web`, `the default of Kubernetes`. */
  statedBy: string;
}

/** A claim whose volume the pods mount. */
export interface UsedClaim {
  /** Name of the claim, or of the claim template. */
  name: string;
  /** `template`: the StatefulSet creates one for each pod. */
  origin: 'claim' | 'template' | 'ephemeral';
  /** Empty for a claim that is not rendered. */
  accessModes: readonly string[];
}

/** How a container gets the content of a ConfigMap or Secret. `sub-path` and `environment` do not follow a change. */
export type ConfigurationUse = 'volume' | 'sub-path' | 'environment';

export interface UsedConfiguration {
  kind: 'ConfigMap' | 'Secret';
  name: string;
  container: string;
  use: ConfigurationUse;
  /** The object, when it is rendered. */
  object: KubeObject | undefined;
}

export interface DeclaredProbe {
  container: string;
  name: 'livenessProbe' | 'readinessProbe' | 'startupProbe';
  probe: Probe;
}

/** A lifecycle hook of a container. */
export interface LifecycleHook {
  container: string;
  name: 'preStop' | 'postStart';
}

/** A rule of a Role or ClusterRole that the pods' ServiceAccount has. */
export interface GrantedRole {
  binding: KubeObject;
  /** `Role reader`; a ClusterRole may be built in. */
  roleName: string;
  /** The role, when it is rendered. */
  role: KubeObject | undefined;
  /** Granted by a ClusterRoleBinding. */
  everywhere: boolean;
}

export interface ModelWorkload {
  object: KubeObject;
  /** `Deployment web`. */
  title: string;
  course: WorkloadCourse;
  /** Events of the annotation `helm.sh/hook`; empty for an ordinary object. */
  hookEvents: readonly string[];
  template: PodTemplate;
  /** Absent where the manifests state no number: DaemonSet, Job, CronJob, Pod. */
  replicas: ExpectedReplicas | undefined;
  /** Services that select its pods. */
  services: readonly Service[];
  claims: readonly UsedClaim[];
  configuration: readonly UsedConfiguration[];
  probes: readonly DeclaredProbe[];
  lifecycleHooks: readonly LifecycleHook[];
  /** PodDisruptionBudgets and NetworkPolicies that select its pods. */
  budgets: readonly KubeObject[];
  networkPolicies: readonly KubeObject[];
  /** The HorizontalPodAutoscaler that scales it. */
  autoscaler: KubeObject | undefined;
  /** Name of the ServiceAccount of its pods. */
  account: string;
  roles: readonly GrantedRole[];
  /** Ports of the node that its pods occupy. */
  hostPorts: readonly number[];
}

/** Why the release can exist only once on a cluster. */
export interface ExistsOnce {
  /** `ClusterRole reader`. */
  object: string;
  why: 'cluster-scoped' | 'own-namespace' | 'host-port' | 'node-port';
  /** A sentence part: `is in namespace monitoring, whatever the namespace of the release`. */
  says: string;
}

export interface SubjectModel {
  workloads: readonly ModelWorkload[];
  /** Services that select no rendered pod, and those without a selector. */
  otherServices: readonly Service[];
  existsOnce: readonly ExistsOnce[];
}
