/** Pods without an owner: a check uses them as clients and neighbours of a release. */
import type { PodWait } from '../../observe/waits/pod-start.ts';
import { podReady } from '../../observe/waits/pod-start.ts';
import type { KubeClient } from '../../kube/api/client.ts';
import type { Pod, PodSpec } from '../../kube/api/types.ts';

export interface BarePod extends BarePodSpec {
  name: string;
  namespace: string;
}

export interface BarePodSpec {
  /** Must be on the nodes already. */
  image: string;
  /** Command of its only container, which has the name of the pod. Default: sleeps for an hour. */
  command?: readonly string[];
  /** The pod becomes ready when this port accepts connections. */
  port?: number;
  /** The only node that the scheduler may choose. */
  node?: string;
  tolerations?: PodSpec['tolerations'];
  /** Limits of extended resources. */
  limits?: Readonly<Record<string, string>>;
}

const SLEEP = ['sleep', '3600'];

/** The spec of a bare pod: small requests, no ServiceAccount token, no grace period. */
export function barePodSpec(name: string, wanted: BarePodSpec): PodSpec {
  const { image, command = SLEEP, port, node, tolerations, limits } = wanted;
  return {
    terminationGracePeriodSeconds: 0,
    automountServiceAccountToken: false,
    ...(node !== undefined && { affinity: onNode(node) }),
    ...(tolerations && { tolerations }),
    containers: [
      {
        name,
        image,
        imagePullPolicy: 'IfNotPresent',
        command: [...command],
        ...(port !== undefined && { readinessProbe: { tcpSocket: { port }, periodSeconds: 1 } }),
        resources: {
          requests: { cpu: '1m', memory: '8Mi' },
          limits: { cpu: '500m', memory: '128Mi', ...limits },
        },
      },
    ],
  };
}

/** Creates a bare pod and does not wait for it. It is deleted with its namespace and never restarted. */
export async function createBarePod(kube: KubeClient, wanted: BarePod): Promise<void> {
  const { name, namespace } = wanted;
  await kube.create({
    apiVersion: 'v1',
    kind: 'Pod',
    // No labels, so that no Service and no policy of the release selects it.
    metadata: { name, namespace },
    spec: { ...barePodSpec(name, wanted), restartPolicy: 'Never' },
  });
}

/**
 * Creates a bare pod and waits until it is Ready.
 *
 * @throws WaitTimeout with the message of the scheduler or the kubelet
 */
export async function startBarePod(kube: KubeClient, wanted: BarePod, wait: PodWait = {}): Promise<Pod> {
  await createBarePod(kube, wanted);
  return podReady(kube, wanted, {
    what: `pod ${wanted.name} in namespace ${wanted.namespace} to be ready`,
    ...wait,
  });
}

/** By the node's name, as DaemonSets do: the hostname label may differ. */
function onNode(name: string): Record<string, unknown> {
  const term = { matchFields: [{ key: 'metadata.name', operator: 'In', values: [name] }] };
  return { nodeAffinity: { requiredDuringSchedulingIgnoredDuringExecution: { nodeSelectorTerms: [term] } } };
}
