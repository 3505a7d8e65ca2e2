/** Pods that no workload owns: clients, strangers and neighbours of a release, in whose place a check looks at it. */
import type { PodWait } from '../../observe/waits/pod-start.ts';
import { podReady } from '../../observe/waits/pod-start.ts';
import type { KubeClient } from '../../kube/api/client.ts';
import type { Pod, PodSpec } from '../../kube/api/types.ts';

export interface BarePod extends BarePodSpec {
  name: string;
  namespace: string;
}

export interface BarePodSpec {
  /** It is on the nodes already. */
  image: string;
  /** Of its only container, which has the pod's name. Default: it sleeps for an hour. */
  command?: readonly string[];
  /** Where it listens: it is ready once that accepts connections. */
  port?: number;
  /** The scheduler may choose this node only. */
  node?: string;
  tolerations?: PodSpec['tolerations'];
  /** What it is limited to beside CPU and memory: extended resources. */
  limits?: Readonly<Record<string, string>>;
}

const SLEEP = ['sleep', '3600'];

/** What such a pod is made of, for a template of one. It asks for little, takes no account's token and ends at once. */
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

/** Creates one, and leaves it to the scheduler whether it comes to run. It goes with its namespace, and is not started again. */
export async function createBarePod(kube: KubeClient, wanted: BarePod): Promise<void> {
  const { name, namespace } = wanted;
  await kube.create({
    apiVersion: 'v1',
    kind: 'Pod',
    // No labels: no Service and no policy of the release may take it for one of its own.
    metadata: { name, namespace },
    spec: { ...barePodSpec(name, wanted), restartPolicy: 'Never' },
  });
}

/**
 * Creates one and waits until it is Ready.
 *
 * @throws WaitTimeout with the scheduler's or the node's words
 */
export async function startBarePod(kube: KubeClient, wanted: BarePod, wait: PodWait = {}): Promise<Pod> {
  await createBarePod(kube, wanted);
  return podReady(kube, wanted, {
    what: `pod ${wanted.name} in namespace ${wanted.namespace} to be ready`,
    ...wait,
  });
}

/** By the name of the node itself, as DaemonSets do it: the label with the host's name may say something else. */
function onNode(name: string): Record<string, unknown> {
  const term = { matchFields: [{ key: 'metadata.name', operator: 'In', values: [name] }] };
  return { nodeAffinity: { requiredDuringSchedulingIgnoredDuringExecution: { nodeSelectorTerms: [term] } } };
}
