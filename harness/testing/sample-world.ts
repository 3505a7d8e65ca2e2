/** API objects for unit tests. */
import type {
  Condition,
  ContainerStatus,
  KubeEvent,
  Node,
  Pod,
  PodSpec,
  Workload,
} from '../kube/api/types.ts';
import type { World } from '../observe/diagnose/world.ts';

export const NOW = Date.parse('2026-03-01T12:00:00Z');

/** The API time that many seconds before NOW. */
export function ago(seconds: number): string {
  return new Date(NOW - seconds * 1000).toISOString().replace('.000', '');
}

export function makePod(parts: {
  name?: string;
  labels?: Record<string, string>;
  owner?: { kind: string; name: string; uid: string };
  spec?: Partial<PodSpec>;
  phase?: NonNullable<Pod['status']>['phase'];
  conditions?: Condition[];
  statuses?: Partial<ContainerStatus>[];
  inits?: Partial<ContainerStatus>[];
  metadata?: Partial<Pod['metadata']>;
  status?: Partial<NonNullable<Pod['status']>>;
}): Pod {
  const name = parts.name ?? 'web-1';
  const full = (s: Partial<ContainerStatus>): ContainerStatus => ({
    name: 'app',
    ready: false,
    restartCount: 0,
    image: 'web:1',
    imageID: '',
    ...s,
  });
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: {
      name,
      namespace: 'demo',
      uid: `uid-${name}`,
      creationTimestamp: ago(60),
      labels: parts.labels ?? { app: 'web' },
      ...(parts.owner ? { ownerReferences: [{ ...parts.owner, controller: true }] } : {}),
      ...parts.metadata,
    },
    spec: { containers: [{ name: 'app', image: 'web:1' }], nodeName: 'n1', ...parts.spec },
    status: {
      phase: parts.phase ?? 'Pending',
      startTime: ago(60),
      conditions: parts.conditions ?? [{ type: 'Ready', status: 'False' }],
      ...(parts.statuses ? { containerStatuses: parts.statuses.map(full) } : {}),
      ...(parts.inits ? { initContainerStatuses: parts.inits.map(full) } : {}),
      ...parts.status,
    },
  };
}

/** A pod that the scheduler reports as unschedulable. */
export function pendingPod(message: string, spec: Partial<PodSpec> = {}, name = 'web-1'): Pod {
  const pod = makePod({
    name,
    spec,
    conditions: [
      {
        type: 'PodScheduled',
        status: 'False',
        reason: 'Unschedulable',
        message,
        lastTransitionTime: ago(60),
      },
    ],
  });
  delete pod.spec.nodeName;
  return pod;
}

export function makeEvent(parts: {
  about?: { kind?: string; name?: string; fieldPath?: string };
  reason: string;
  message: string;
  type?: 'Normal' | 'Warning';
  count?: number;
  secondsAgo?: number;
}): KubeEvent {
  const { kind = 'Pod', name = 'web-1', fieldPath } = parts.about ?? {};
  return {
    apiVersion: 'v1',
    kind: 'Event',
    metadata: { name: `${name}.${parts.reason}`, namespace: 'demo' },
    involvedObject: { kind, name, ...(fieldPath === undefined ? {} : { fieldPath }) },
    type: parts.type ?? 'Warning',
    reason: parts.reason,
    message: parts.message,
    count: parts.count ?? 1,
    firstTimestamp: ago((parts.secondsAgo ?? 10) + 30),
    lastTimestamp: ago(parts.secondsAgo ?? 10),
  };
}

export function makeNode(
  name: string,
  parts: {
    labels?: Record<string, string>;
    taints?: NonNullable<Node['spec']['taints']>;
    allocatable?: Record<string, string>;
    conditions?: Condition[];
    unschedulable?: boolean;
  } = {},
): Node {
  return {
    apiVersion: 'v1',
    kind: 'Node',
    metadata: { name, labels: { 'kubernetes.io/hostname': name, ...parts.labels } },
    spec: {
      ...(parts.taints ? { taints: parts.taints } : {}),
      ...(parts.unschedulable ? { unschedulable: true } : {}),
    },
    status: {
      allocatable: parts.allocatable ?? { cpu: '2', memory: '8Gi' },
      conditions: parts.conditions ?? [{ type: 'Ready', status: 'True' }],
    },
  };
}

export function makeDeployment(
  parts: { name?: string; replicas?: number; status?: Workload['status']; kind?: string } = {},
): Workload {
  const name = parts.name ?? 'web';
  return {
    apiVersion: 'apps/v1',
    kind: parts.kind ?? 'Deployment',
    metadata: { name, namespace: 'demo', uid: `uid-${name}`, generation: 1 },
    spec: {
      replicas: parts.replicas ?? 3,
      selector: { matchLabels: { app: 'web' } },
      template: {
        metadata: { labels: { app: 'web' } },
        spec: { containers: [{ name: 'app', image: 'web:1' }] },
      },
    },
    status: { observedGeneration: 1, ...parts.status },
  };
}

export function makeReplicaSet(name = 'web-abc', owner = 'web'): Workload {
  return {
    ...makeDeployment({ name, kind: 'ReplicaSet' }),
    metadata: {
      name,
      namespace: 'demo',
      uid: `uid-${name}`,
      ownerReferences: [{ kind: 'Deployment', name: owner, uid: `uid-${owner}`, controller: true }],
    },
  };
}

export function makeWorld(parts: Partial<World> = {}): World {
  return {
    namespace: 'demo',
    now: NOW,
    pods: [],
    workloads: [],
    events: [],
    services: [],
    slices: [],
    ...parts,
  };
}
