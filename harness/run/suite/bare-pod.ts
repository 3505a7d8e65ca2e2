/** Pods without an owner: a check uses them as clients and neighbours of a release. */
import type { PodWait } from '../../observe/waits/pod-start.ts';
import { podReady } from '../../observe/waits/pod-start.ts';
import { WaitTimeout } from '../../core/deadline.ts';
import { DoesNotFit, InfrastructureError } from '../../core/errors.ts';
import type { KubeClient } from '../../kube/api/client.ts';
import { ApiError } from '../../kube/api/errors.ts';
import { missingProgram } from '../../kube/api/missing-program.ts';
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
  /** An empty volume of its own: where it is mounted, and how much it may hold, e.g. `64Ki`. */
  volume?: { mountPath: string; sizeLimit: string };
}

const SLEEP = ['sleep', '3600'];
const VOLUME = 'own';
const CONTROL_PLANE = 'node-role.kubernetes.io/control-plane';

/** The spec of a bare pod: small requests, no ServiceAccount token, no grace period. */
export function barePodSpec(name: string, wanted: BarePodSpec): PodSpec {
  const { image, command = SLEEP, port, node, tolerations, limits, volume } = wanted;
  return {
    terminationGracePeriodSeconds: 0,
    automountServiceAccountToken: false,
    ...(node !== undefined && { affinity: onNode(node) }),
    ...(tolerations && { tolerations }),
    ...(volume && { volumes: [{ name: VOLUME, emptyDir: { sizeLimit: volume.sizeLimit } }] }),
    containers: [
      {
        name,
        image,
        imagePullPolicy: 'IfNotPresent',
        command: [...command],
        ...(port !== undefined && { readinessProbe: { tcpSocket: { port }, periodSeconds: 1 } }),
        ...(volume && { volumeMounts: [{ name: VOLUME, mountPath: volume.mountPath }] }),
        resources: {
          requests: { cpu: '1m', memory: '8Mi' },
          limits: { cpu: '500m', memory: '128Mi', ...limits },
        },
      },
    ],
  };
}

/**
 * Creates a bare pod and does not wait for it. It is deleted with its namespace and never restarted.
 *
 * @throws InfrastructureError `E_OWN_POD` when the cluster refuses it
 */
export async function createBarePod(kube: KubeClient, wanted: BarePod): Promise<void> {
  const { name, namespace, node, tolerations } = wanted;
  // Without tolerations, the taint of the control plane keeps it away.
  const affinity = node === undefined && tolerations ? await awayFromControlPlane(kube) : {};
  try {
    await kube.create({
      apiVersion: 'v1',
      kind: 'Pod',
      // No labels, so that no Service and no policy of the release selects it.
      metadata: { name, namespace },
      spec: { ...barePodSpec(name, wanted), ...affinity, restartPolicy: 'Never' },
    });
  } catch (error) {
    if (!(error instanceof ApiError)) throw error;
    throw new InfrastructureError(
      'E_OWN_POD',
      `the cluster refuses pod ${name} of the check: ${error.message}`,
      { cause: error },
    );
  }
}

/**
 * Creates a bare pod and waits until it is Ready. It is a means of the check, so its failure says nothing about the subject. Where its
 * start is what the check is about, use `createBarePod` and `podReady`.
 *
 * @throws DoesNotFit when its image, which may be the subject's, lacks the program
 * @throws InfrastructureError `E_OWN_POD` with the message of the scheduler or the kubelet
 */
export async function startBarePod(kube: KubeClient, wanted: BarePod, wait: PodWait = {}): Promise<Pod> {
  const { name, namespace, image, command = SLEEP } = wanted;
  await createBarePod(kube, wanted);
  try {
    return await podReady(kube, wanted, {
      what: `pod ${name} in namespace ${namespace} to be ready`,
      ...wait,
    });
  } catch (error) {
    if (!(error instanceof WaitTimeout)) throw error;
    const message = `pod ${name} of the check did not start: ${error.message}`;
    const unfit = missingProgram(command, `${name}, ${image},`, await startErrorOf(kube, wanted));
    if (unfit instanceof DoesNotFit) throw unfit;
    throw new InfrastructureError('E_OWN_POD', message, { cause: error, details: error.details });
  }
}

/** What the container runtime says about a container that it could not start. */
async function startErrorOf(kube: KubeClient, { name, namespace }: BarePod): Promise<string> {
  const pod = await kube.get('Pod', { name, namespace });
  const states = pod?.status?.containerStatuses?.map(({ state }) => state) ?? [];
  return states.map((state) => state?.terminated?.message ?? state?.waiting?.message ?? '').join('\n');
}

/**
 * The affinity of a pod that tolerates the taint of a control plane and yet must not run there: images are loaded into the workers. Empty
 * where the control plane is the only node, which then has them.
 */
export async function awayFromControlPlane(
  kube: Pick<KubeClient, 'list'>,
): Promise<Pick<PodSpec, 'affinity'>> {
  const nodes = await kube.list('Node', { metadataOnly: true }).catch((error: unknown) => {
    // Not everybody may list nodes.
    if (error instanceof ApiError) return [];
    throw error;
  });
  if (nodes.every(({ metadata }) => metadata.labels?.[CONTROL_PLANE] !== undefined)) return {};
  const term = { matchExpressions: [{ key: CONTROL_PLANE, operator: 'DoesNotExist' }] };
  return {
    affinity: {
      nodeAffinity: { requiredDuringSchedulingIgnoredDuringExecution: { nodeSelectorTerms: [term] } },
    },
  };
}

/** By the node's name, as DaemonSets do: the hostname label may differ. */
function onNode(name: string): Record<string, unknown> {
  const term = { matchFields: [{ key: 'metadata.name', operator: 'In', values: [name] }] };
  return { nodeAffinity: { requiredDuringSchedulingIgnoredDuringExecution: { nodeSelectorTerms: [term] } } };
}
