/** Control pods: one beside each pod of a release, with the same probes, which does nothing but answer. */
import { busyboxImage } from '../../fixtures/images/build.ts';
import { InfrastructureError } from '../../harness/core/errors.ts';
import type { KubeClient } from '../../harness/kube/api/client.ts';
import { hasCondition } from '../../harness/kube/api/objects.ts';
import { INCOMPLETE_HEADER, PROXY_ERROR_HEADER } from '../../harness/kube/api/proxy.ts';
import type { Container, Pod } from '../../harness/kube/api/types.ts';
import { NO_ANSWER_IN_TIME } from '../../harness/observe/diagnose/explain/probe.ts';
import { probeLike, serveOn, startControlPod } from '../../harness/run/suite/control-pod.ts';
import type { Lab } from '../../harness/run/suite/lab.ts';
import type { Release } from '../../harness/run/suite/release.ts';
import type { Controls, ControlRecord, PairedAnswer } from './beside-controls.ts';

const PORT = 8080;

/** For one call. What counts is the difference to the control, which has the same time. */
const CALL_MS = 5000;

export interface ControlPods {
  /** Calls a port of a pod of the release, and at the same time the control on its node. */
  ask(pod: Pod, port: number, path: string): Promise<PairedAnswer>;
  /** How they fared until now. */
  record(): Promise<Controls>;
}

/**
 * Starts one on each node that has one of these pods of the release, in a new namespace, and waits until all are Ready.
 *
 * @param like the container of a pod whose probes its control imitates
 * @throws InfrastructureError `E_CONTROL` when one does not start: without it, nothing is known about the release
 */
export async function startControls(
  lab: Lab,
  release: Release,
  { pods, like }: { pods: readonly Pod[]; like: (pod: Pod) => Container | undefined },
): Promise<ControlPods> {
  const { kube } = lab;
  const namespace = await lab.namespace();
  const nodes = [...new Set(pods.flatMap(({ spec }) => spec.nodeName ?? []))];
  const nameOn = (node: string | undefined): string => `control-${nodes.indexOf(node ?? '')}`;
  await Promise.all(
    nodes.map((node) => {
      const pod = pods.find(({ spec }) => spec.nodeName === node);
      return startControl(kube, { name: nameOn(node), namespace, node }, pod && like(pod));
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
  at: { name: string; namespace: string; node: string },
  model: Container | undefined,
): Promise<void> {
  await startControlPod(kube, { ...at, image: busyboxImage.ref }, (bare) => [
    {
      ...bare,
      command: serveOn(PORT),
      readinessProbe: probeLike(model?.readinessProbe, PORT),
      livenessProbe: probeLike(model?.livenessProbe, PORT),
    },
  ]);
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
