/** Control pods: one beside each pod of a release, with the same probes, which does nothing but answer. */
import { busyboxImage } from '../../fixtures/images/build.ts';
import { InfrastructureError, InterruptedError, messageOf } from '../../harness/core/errors.ts';
import type { KubeClient } from '../../harness/kube/api/client.ts';
import { hasCondition } from '../../harness/kube/api/objects.ts';
import { INCOMPLETE_HEADER, PROXY_ERROR_HEADER } from '../../harness/kube/api/proxy.ts';
import type { Container, Pod, Probe } from '../../harness/kube/api/types.ts';
import { NO_ANSWER_IN_TIME } from '../../harness/observe/diagnose/explain/probe.ts';
import { podReady } from '../../harness/observe/waits/pod-start.ts';
import { barePodSpec } from '../../harness/run/suite/bare-pod.ts';
import type { Lab } from '../../harness/run/suite/lab.ts';
import type { Release } from '../../harness/run/suite/release.ts';
import type { Controls, ControlRecord, PairedAnswer } from './beside-controls.ts';
import { serverIn } from './server.ts';
import { serverPods } from './server-pods.ts';

const PORT = 8080;
const SERVE = [
  'sh',
  '-c',
  `mkdir -p /tmp/www && echo ok > /tmp/www/index.html && exec busybox httpd -f -p ${PORT} -h /tmp/www`,
];

/** For one call. What counts is the difference to the control, which has the same time. */
const CALL_MS = 5000;

export interface ControlPods {
  /** Calls a port of a pod of the release, and at the same time the control on its node. */
  ask(pod: Pod, port: number, path: string): Promise<PairedAnswer>;
  /** How they fared until now. */
  record(): Promise<Controls>;
}

/**
 * Starts one on each node that has a pod of the server, in a new namespace, and waits until all are Ready.
 *
 * @throws InfrastructureError `E_CONTROL` when one does not start: without it, nothing is known about the release
 */
export async function startControls(lab: Lab, release: Release): Promise<ControlPods> {
  const { kube } = lab;
  const namespace = await lab.namespace();
  const pods = await serverPods(release);
  const { container } = serverIn(release);
  const nodes = [...new Set(pods.flatMap(({ spec }) => spec.nodeName ?? []))];
  const nameOn = (node: string | undefined): string => `control-${nodes.indexOf(node ?? '')}`;
  await Promise.all(
    nodes.map((node) => {
      const like = pods.find(({ spec }) => spec.nodeName === node);
      const model = like?.spec.containers.find(({ name }) => name === container.name);
      return startControl(kube, { name: nameOn(node), namespace, node }, model);
    }),
  );
  const from = (await release.settleRecording()).changes.length;
  return {
    async ask(pod, port, path) {
      const { name } = pod.metadata;
      const node = pod.spec.nodeName ?? '';
      const [status, control] = await Promise.all([
        statusOf(kube, { namespace: pod.metadata.namespace ?? release.namespace, name, port }, path),
        statusOf(kube, { namespace, name: nameOn(node), port: PORT }, '/'),
      ]);
      return { node, what: `${name} ${path}`, status, isControlAnswered: control === 200 };
    },
    async record() {
      return {
        from,
        records: await Promise.all(nodes.map((node) => recordOf(kube, namespace, nameOn(node), node))),
      };
    },
  };
}

async function startControl(
  kube: KubeClient,
  { name, namespace, node }: { name: string; namespace: string; node: string },
  model: Container | undefined,
): Promise<void> {
  const tolerations = [{ operator: 'Exists' }];
  const spec = barePodSpec(name, { image: busyboxImage.ref, command: SERVE, node, tolerations });
  const probes = {
    readinessProbe: probeLike(model?.readinessProbe),
    livenessProbe: probeLike(model?.livenessProbe),
  };
  const containers = spec.containers.map((container) => ({ ...container, ...probes }));
  try {
    await kube.create({
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { name, namespace },
      // A restart would hide that it failed.
      spec: { ...spec, containers, restartPolicy: 'Never' },
    });
    await podReady(kube, { name, namespace });
  } catch (error) {
    if (error instanceof InterruptedError) throw error;
    throw new InfrastructureError(
      'E_CONTROL',
      `no control pod could be started on ${node}: ${messageOf(error)}`,
      {
        cause: error,
        hint: `Check that the node has room for a pod and can run the image ${busyboxImage.ref}.`,
      },
    );
  }
}

/** As often, as long and as patient as a probe of the release. */
function probeLike({ periodSeconds, timeoutSeconds, failureThreshold }: Probe = {}): Probe {
  return {
    httpGet: { path: '/', port: PORT },
    ...(periodSeconds !== undefined && { periodSeconds }),
    ...(timeoutSeconds !== undefined && { timeoutSeconds }),
    ...(failureThreshold !== undefined && { failureThreshold }),
  };
}

/** The status that a pod gave; `undefined` when there was no complete answer of the pod itself. */
async function statusOf(
  kube: KubeClient,
  { namespace, name, port }: { namespace: string; name: string; port: number },
  path: string,
): Promise<number | undefined> {
  try {
    const target = { kind: 'Pod', name, port } as const;
    const { status, headers } = await kube.http({ namespace, target, path, timeoutMs: CALL_MS });
    return PROXY_ERROR_HEADER in headers || INCOMPLETE_HEADER in headers ? undefined : status;
  } catch (error) {
    if (error instanceof InfrastructureError) return undefined;
    throw error;
  }
}

async function recordOf(
  kube: KubeClient,
  namespace: string,
  name: string,
  node: string,
): Promise<ControlRecord> {
  const pod = await kube.get('Pod', { name, namespace });
  const fieldSelector = `reason=Unhealthy,involvedObject.name=${name}`;
  const events = await kube.list('Event', { namespace, fieldSelector });
  const late = events.find(({ message = '' }) => NO_ANSWER_IN_TIME.test(message));
  const ended = hasCondition(pod, 'Ready') ? undefined : `it is ${pod ? 'not ready any more' : 'gone'}`;
  return { node, trouble: late?.message ?? ended };
}
