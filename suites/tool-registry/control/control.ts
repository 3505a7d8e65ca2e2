/**
 * Control pods: plain servers beside the pods of a release, with the same probes and the same share of CPU time, behind a Service of their
 * own. The subject cannot affect them, so what happens to them is due to the machine. Where they fail too, a failure says nothing about the
 * subject.
 */
import { waitFor } from '../../../harness/core/deadline.ts';
import { InfrastructureError, messageOf } from '../../../harness/core/errors.ts';
import type { HttpAnswer } from '../../../harness/kube/api/client.ts';
import type { Container, Pod, Probe, Service } from '../../../harness/kube/api/types.ts';
import type { PredicateResult } from '../../../harness/observe/predicates/result.ts';
import { podReady } from '../../../harness/observe/waits/pod-start.ts';
import { barePodSpec } from '../../../harness/run/suite/bare-pod.ts';
import { notAboutSubject } from '../../../harness/run/suite/not-about-subject.ts';
import type { Release } from '../../../harness/run/suite/release.ts';
import { startConstantLoad, type ConstantLoad } from '../load/constant-load.ts';
import { PYTHON_POD_PORT } from '../python-pod.ts';
import { probeTroubles } from '../probe-record.ts';
import { rolesOf } from '../roles.ts';

const NAME = 'kindproof-control';
const CONTAINER = 'control';
/** Only the liveness probe asks for it, so the server's log counts the probes. The server ignores the query. */
const LIVENESS_PATH = '/?live';
const START_MS = 120_000;
const ANSWER_MS = 5000;

/**
 * Starts a control pod on each node that has one of the pods. They are deleted with their namespace.
 *
 * @throws InfrastructureError `E_CONTROL` when one does not start
 */
export function startControl(release: Release, pods: readonly Pod[]): Promise<Control> {
  return ofControl(() => start(release, pods));
}

async function start(release: Release, pods: readonly Pod[]): Promise<Control> {
  const { kube, namespace } = release;
  const labels = { 'kindproof.dev/control': NAME };
  const service = (await kube.create({
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name: NAME, namespace },
    spec: { selector: labels, ports: [{ port: PYTHON_POD_PORT }] },
  })) as Service;
  const onEachNode = [...new Map(pods.map((pod) => [pod.spec.nodeName, pod])).values()];
  const names = await Promise.all(
    onEachNode.map(async (beside, index) => {
      const metadata = { name: `${NAME}-${index + 1}`, namespace, labels };
      await kube.create({
        apiVersion: 'v1',
        kind: 'Pod',
        metadata,
        spec: controlPodSpec(beside, rolesOf(release).server.name),
      });
      await podReady(kube, metadata, { timeoutMs: START_MS });
      return metadata.name;
    }),
  );
  await release.until('the control pods to answer', async () => {
    const { status } = await callOnce(release, ANSWER_MS);
    return status === 200;
  });
  return new Control(release, service, names);
}

function callOnce(release: Release, timeoutMs: number): Promise<HttpAnswer> {
  return release.http({ kind: 'Service', name: NAME, port: PYTHON_POD_PORT }, '/', { timeoutMs });
}

/** A failure of the control itself is no failure of the subject. */
function ofControl<T>(work: () => Promise<T>): Promise<T> {
  return notAboutSubject('E_CONTROL', 'the control failed', work);
}

export class Control {
  readonly #release: Release;
  readonly #service: Service;
  readonly #names: readonly string[];
  /** Calls that the control pods answered too late or not at all. */
  readonly #failedCalls: string[] = [];
  #load: ConstantLoad | undefined;

  constructor(release: Release, service: Service, names: readonly string[]) {
    this.#release = release;
    this.#service = service;
    this.#names = names;
  }

  /** Calls the control pods once, on the same way as a check calls the subject. */
  async call(limitMs: number): Promise<void> {
    try {
      const { status, durationMs } = await callOnce(this.#release, limitMs + 1000);
      if (status !== 200 || durationMs > limitMs) this.#failedCalls.push(`${status} after ${durationMs} ms`);
    } catch (error) {
      this.#failedCalls.push(messageOf(error));
    }
  }

  /** Calls the control pods at a constant rate until the first judgement. */
  async startCalls(options: { ratePerSecond: number; limitSeconds: number }): Promise<void> {
    const requests = [{ method: 'GET', path: '/' }] as const;
    this.#load = await ofControl(() =>
      startConstantLoad(this.#release, this.#service, { ...options, requests, name: `${NAME}-load` }),
    );
  }

  /** How often the kubelet has probed the liveness of a control pod; of several, the one that was probed least often. */
  async probes(): Promise<number> {
    const { kube, namespace } = this.#release;
    const read = this.#names.map((pod) => kube.logs({ namespace, pod, container: CONTAINER }));
    const logs = await ofControl(() => Promise.all(read));
    return Math.min(...logs.map((log = '') => log.split(`GET ${LIVENESS_PATH} `).length - 1));
  }

  /**
   * Waits until the kubelets have probed so often: a time that passes as slowly as the kubelets work.
   *
   * @throws InfrastructureError `E_CONTROL` when they do not, or when a control pod is restarted
   */
  async probed(times: number): Promise<void> {
    await ofControl(() =>
      waitFor<undefined>({
        what: `the kubelet to probe the control pod ${times} times`,
        timeoutMs: 180_000,
        intervalMs: 1000,
        look: async () => {
          const probes = await this.probes();
          if (probes >= times) return { done: true, value: undefined };
          const seen = `${probes} probes`;
          // The log of the next instance counts from zero.
          const [restart] = this.#release.recording.restarts().filter(({ pod }) => this.#names.includes(pod));
          return restart
            ? { done: false, seen, hopeless: `${restart.pod} restarted` }
            : { done: false, seen };
        },
      }),
    );
  }

  /**
   * The result, if it is due to the subject.
   *
   * @throws InfrastructureError `E_CONTROL` when it does not hold and the control pods had failures too
   */
  async judged(result: PredicateResult): Promise<PredicateResult> {
    await this.#endLoad();
    if (result.ok) return result;
    const recording = await this.#release.settleRecording();
    const [trouble] = [...probeTroubles(recording, this.#names), ...this.#failedCalls];
    if (trouble === undefined) return result;
    throw new InfrastructureError(
      'E_CONTROL',
      `the control pod failed too (${trouble}), so this says nothing about the subject: ${result.expected}; found ${result.actual}`,
      { hint: 'Run again when the machine does nothing else.' },
    );
  }

  async #endLoad(): Promise<void> {
    const load = this.#load;
    this.#load = undefined;
    if (!load) return;
    const { failures } = await ofControl(() => load.stop());
    this.#failedCalls.push(...failures.map(({ what }) => what));
  }
}

/** On the node of the pod, with the probes and the CPU time of its container that serves. */
function controlPodSpec(beside: Pod, container: string): Record<string, unknown> {
  const server = beside.spec.containers.find(({ name }) => name === container);
  const spec = barePodSpec(CONTAINER, {
    image: server?.image ?? '',
    command: ['python3', '-m', 'http.server', '--directory', '/tmp', String(PYTHON_POD_PORT)],
    ...(beside.spec.nodeName !== undefined && { node: beside.spec.nodeName }),
    tolerations: beside.spec.tolerations,
  });
  const cpu = (from: Record<string, string> = {}): Record<string, string> =>
    from.cpu === undefined ? {} : { cpu: from.cpu };
  const controlled: Partial<Container> = {
    startupProbe: { ...httpGet('/'), periodSeconds: 1, failureThreshold: 120 },
    livenessProbe: { ...timesOf(server?.livenessProbe), ...httpGet(LIVENESS_PATH) },
    readinessProbe: { ...timesOf(server?.readinessProbe), ...httpGet('/') },
    resources: {
      requests: { memory: '32Mi', ...cpu(server?.resources?.requests) },
      limits: { memory: '128Mi', ...cpu(server?.resources?.limits) },
    },
  };
  return { ...spec, containers: spec.containers.map((one) => ({ ...one, ...controlled })) };
}

function httpGet(path: string): Probe {
  return { httpGet: { path, port: PYTHON_POD_PORT } };
}

/** Without a probe of the subject, the defaults of the API server. */
function timesOf({ periodSeconds = 10, timeoutSeconds = 1, failureThreshold = 3 }: Probe = {}): Probe {
  return { periodSeconds, timeoutSeconds, failureThreshold };
}
