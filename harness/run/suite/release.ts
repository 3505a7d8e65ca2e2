/** An installed release: the handles that checks ask questions of. */
import { systemClock, throwIfAborted, waitFor, WaitTimeout } from '../../core/deadline.ts';
import { CheckFailure, DoesNotFit, NameMissing } from '../../core/errors.ts';
import type { ExecResult, HttpAnswer, HttpRequest, KubeClient } from '../../kube/api/client.ts';
import type {
  Container,
  ContainerStatus,
  KubeObject,
  Node,
  Pod,
  PodSpec,
  Service,
  Workload,
} from '../../kube/api/types.ts';
import { toSelectorString } from '../../kube/api/selectors.ts';
import { podsOf } from '../../kube/api/workload-pods.ts';
import { isCoreApi } from '../../kube/manifests/core-api.ts';
import { field, nameOf, podTemplateOf } from '../../kube/manifests/objects.ts';
import { namespaceOf } from '../../kube/manifests/model/subject-model.ts';
import { nearlyFitting, wantsNone } from '../../observe/diagnose/wanted-nodes.ts';
import { isReadyOnTrust, TRUST_MS } from '../../observe/predicates/live/ready-on-trust.ts';
import { rolledOut } from '../../observe/waits/rollout.ts';
import type { WorkloadHandle, WorkloadKind } from '../../observe/matchers/workload-handle.ts';
import type { Recorder } from '../../observe/recorder/recorder.ts';
import type { Recording } from '../../observe/recorder/recording.ts';
import type { MaybePrepared } from './environment.ts';

export interface ReleaseDeps {
  kube: KubeClient;
  /** Of the namespace of the release. */
  recorder: Recorder;
  /** Of the namespaces that objects name; they fill the same recording. */
  others?: readonly Recorder[];
  signal: AbortSignal;
  /** How long a rollout may take; the suite says so. */
  rolloutMs?: number | undefined;
}

const WORKLOAD_KINDS: readonly WorkloadKind[] = ['Deployment', 'StatefulSet', 'DaemonSet'];

/** For one command: in a container that has a tenth of a core its start alone takes seconds. */
const EXEC_MS = 60_000;

/** `Prepared`: what the suite's environment prepares in a namespace; `undefined` without one. */
export class Release<Prepared extends MaybePrepared = MaybePrepared> {
  readonly name: string;
  readonly namespace: string;
  /** What the suite's environment has prepared in the namespace. */
  readonly environment: Prepared;
  #objects: readonly KubeObject[];
  readonly #deps: ReleaseDeps;

  constructor(
    identity: {
      name: string;
      namespace: string;
      objects: readonly KubeObject[];
      environment: Prepared;
    },
    deps: ReleaseDeps,
  ) {
    this.name = identity.name;
    this.namespace = identity.namespace;
    this.environment = identity.environment;
    this.#objects = identity.objects;
    this.#deps = deps;
  }

  /** What was rendered for exactly this revision. Checks take their expectations from here, never from the chart's files. */
  get objects(): readonly KubeObject[] {
    return this.#objects;
  }

  /** After an upgrade: what the new revision renders. */
  replaceObjects(objects: readonly KubeObject[]): void {
    this.#objects = objects;
  }

  get kube(): KubeClient {
    return this.#deps.kube;
  }

  /** How long a rollout may take at most, in ms: 150 000, unless the suite says otherwise. */
  get rolloutMs(): number {
    return this.#deps.rolloutMs ?? 150_000;
  }

  get recording(): Recording {
    return this.#deps.recorder.recording;
  }

  /** Everything that the API server knew up to now is in the recording when this resolves. */
  async settleRecording(): Promise<Recording> {
    await Promise.all(this.#recorders().map((recorder) => recorder.flush()));
    return this.recording;
  }

  #recorders(): Recorder[] {
    return [this.#deps.recorder, ...(this.#deps.others ?? [])];
  }

  /**
   * The rendered object of that kind; the name may be left out when there is only one.
   *
   * @throws NameMissing when none has the name; DoesNotFit when there are several and none was named; CheckFailure `E_NOT_RENDERED` when
   * there is none of the kind
   */
  rendered(kind: string, name?: string): KubeObject {
    const found = this.objects.filter(
      (o) => o.kind === kind && (name === undefined || o.metadata.name === name),
    );
    const [object] = found;
    if (object && found.length === 1) return object;
    const wanted = name === undefined ? kind : `${kind} ${name}`;
    const have = this.objects.map((o) => `${o.kind} ${o.metadata.name}`).join(', ');
    const hint = `It renders: ${have}`;
    if (found.length > 0) {
      throw new DoesNotFit(`the chart renders ${found.length} ${kind} objects, and the check expects one`, {
        hint,
      });
    }
    if (name !== undefined) throw new NameMissing(`the chart renders no ${wanted}`, { hint });
    throw new CheckFailure('E_NOT_RENDERED', `the chart renders no ${wanted}`, { hint });
  }

  /** All workloads that the release renders. */
  workloads(): WorkloadHandle[] {
    return this.objects
      .filter((o) => (WORKLOAD_KINDS as readonly string[]).includes(o.kind) && isCoreApi(o.apiVersion))
      .map((o) => this.workload(o));
  }

  deployment(name?: string): WorkloadHandle {
    return this.workload(this.rendered('Deployment', name));
  }

  daemonSet(name?: string): WorkloadHandle {
    return this.workload(this.rendered('DaemonSet', name));
  }

  /** The live workload of a rendered object. */
  workload(object: KubeObject): WorkloadHandle {
    const kind = object.kind as WorkloadKind;
    const { name } = object.metadata;
    // A chart may render an object into a namespace of its own.
    const namespace = namespaceOf(object, this);
    const { kube } = this.#deps;
    const read = async (): Promise<Workload> => {
      const live = await kube.get(kind, { name, namespace });
      if (live) return live;
      throw new CheckFailure('E_NOT_FOUND', `${kind} ${name} does not exist in namespace ${namespace}`);
    };
    return {
      kind,
      name,
      namespace,
      read,
      pods: async (): Promise<Pod[]> => podsOf(kube, await read()),
      nodes: (): Promise<Node[]> => kube.list('Node'),
      recording: this.recording,
    };
  }

  /**
   * The pods of all workloads of the release that ask for some; none is a failure, because every statement about no pods is true.
   */
  async pods(): Promise<Pod[]> {
    const idle = this.objects.filter((o) => field(o['spec'], 'replicas') === 0).map(nameOf);
    const workloads = this.workloads().filter(({ kind, name }) => !idle.includes(`${kind} ${name}`));
    const pods = (await Promise.all(workloads.map((w) => w.pods()))).flat();
    if (pods.length === 0) throw new CheckFailure('E_SELECTED_NOTHING', `release ${this.name} has no pods`);
    return pods;
  }

  /** The first pod of a workload; by default, of any workload of the release. */
  async pod(workload?: WorkloadHandle): Promise<Pod> {
    const [pod] = await (workload ?? this).pods();
    if (pod) return pod;
    const owner = workload ? `${workload.kind} ${workload.name}` : `release ${this.name}`;
    throw new CheckFailure('E_SELECTED_NOTHING', `${owner} has no pods`);
  }

  /** The live Service of that name, or the only one. */
  async service(name?: string): Promise<Service> {
    return this.liveService(this.rendered('Service', name));
  }

  /** The live Service of a rendered object. */
  async liveService(object: KubeObject): Promise<Service> {
    const { name } = object.metadata;
    const namespace = namespaceOf(object, this);
    const service = await this.kube.get('Service', { name, namespace });
    if (service) return service;
    throw new CheckFailure('E_NOT_FOUND', `Service ${name} does not exist in namespace ${namespace}`);
  }

  /**
   * Waits until every workload is rolled out: observed, updated, available, nothing old left.
   *
   * @throws CheckFailure `E_ROLLOUT` with how far it came, and why waiting on would not help; `E_WANTS_NO_POD` when the release has only
   * DaemonSets, none of them wants a pod, and nodes nearly fit
   */
  async rolledOut(timeoutMs = this.rolloutMs): Promise<void> {
    const workloads = await this.#completeRollout(timeoutMs);
    const pods = await Promise.all(workloads.map((workload) => workload.pods().catch(() => [])));
    if (!pods.flat().some((pod) => isReadyOnTrust(pod, Date.now()))) return;
    await systemClock.sleep(TRUST_MS, this.#deps.signal);
    await this.#completeRollout(timeoutMs);
  }

  async #completeRollout(timeoutMs: number): Promise<readonly WorkloadHandle[]> {
    throwIfAborted(this.#deps.signal);
    const workloads = this.workloads();
    // Jobs and bare pods have no rollout.
    if (!this.objects.some((object) => podTemplateOf(object)))
      throw new DoesNotFit('the chart renders nothing that runs pods');
    await Promise.all(
      workloads.map(async (workload) => {
        try {
          await rolledOut(this.kube, workload, { timeoutMs, signal: this.#deps.signal });
        } catch (error) {
          throw error instanceof WaitTimeout ? rolloutFailure(workload, error) : error;
        }
      }),
    );
    await this.#needSomePod(workloads);
    return workloads;
  }

  /** A rollout of a DaemonSet that wants no pod is complete. When there is nothing else, every check would miss its pods. */
  async #needSomePod(workloads: readonly WorkloadHandle[]): Promise<void> {
    if (workloads.length === 0 || workloads.some(({ kind }) => kind !== 'DaemonSet')) return;
    const daemonSets = await Promise.all(
      workloads.map(async (workload) => ({ ...(await workload.read()), kind: 'DaemonSet' })),
    );
    if (daemonSets.some(({ status }) => (status?.desiredNumberScheduled ?? 0) > 0)) return;
    const nodes = await this.kube.list('Node');
    for (const daemonSet of daemonSets) {
      const near = nearlyFitting(daemonSet.spec.template.spec, nodes);
      if (near.length === 0) continue;
      const wants = wantsNone(daemonSet, nodes) ?? 'wants no pod';
      const lacks = near.map((node) => `${node.name} ${node.lacks}`).join('; ');
      throw new CheckFailure('E_WANTS_NO_POD', `DaemonSet ${daemonSet.metadata.name} ${wants}, and ${lacks}`);
    }
  }

  /** Waits until something is the case, 60 s at most. */
  until(what: string, holds: () => Promise<boolean>, timeoutMs = 60_000): Promise<void> {
    return waitFor({
      what,
      timeoutMs,
      signal: this.#deps.signal,
      look: async () =>
        (await holds()) ? { done: true, value: undefined } : { done: false, seen: 'not yet' },
    });
  }

  /**
   * Runs a command in a container of a pod and returns its result, whatever its exit code.
   *
   * @throws DoesNotFit when the pod has no such container, or the image lacks a program of the check
   */
  async exec(pod: Pod, command: string[], container = mainContainer(pod)): Promise<ExecResult> {
    containerNamed(pod.spec, container, `pod ${pod.metadata.name}`);
    return this.kube.exec({
      namespace: pod.metadata.namespace ?? this.namespace,
      pod: pod.metadata.name,
      container,
      command,
      timeoutMs: EXEC_MS,
      signal: this.#deps.signal,
    });
  }

  /** Standard output of a command that has to succeed. */
  async output(pod: Pod, command: string[], container?: string): Promise<string> {
    const result = await this.exec(pod, command, container);
    if (result.exitCode === 0) return result.stdout;
    throw new CheckFailure(
      'E_EXEC',
      `\`${command.join(' ')}\` in pod ${pod.metadata.name} exited with ${result.exitCode}: ${(result.stderr || result.stdout).trim()}`,
    );
  }

  /** One HTTP request through the API server's proxy to a Service or a pod of the release. */
  http(target: HttpRequest['target'], path: string, request: Partial<HttpRequest> = {}): Promise<HttpAnswer> {
    return this.kube.http({ namespace: this.namespace, target, path, signal: this.#deps.signal, ...request });
  }

  /** Label selector string of the pods of a workload. */
  async selectorOf(workload: WorkloadHandle): Promise<string> {
    return toSelectorString((await workload.read()).spec.selector ?? {});
  }

  /** Stops the recording; the release itself is uninstalled by the lab. */
  async stopRecording(): Promise<void> {
    await Promise.all(this.#recorders().map((recorder) => recorder.stop()));
  }
}

/** The container that the pod is about: the first one that is no sidecar. */
export function mainContainer(pod: Pod): string {
  const [first] = pod.spec.containers;
  if (!first) throw new CheckFailure('E_SELECTED_NOTHING', `pod ${pod.metadata.name} has no containers`);
  return first.name;
}

/** Status of a container of a pod, init containers included. */
export function containerStatus(pod: Pod, name: string): ContainerStatus {
  const all = [...(pod.status?.initContainerStatuses ?? []), ...(pod.status?.containerStatuses ?? [])];
  const status = all.find((s) => s.name === name);
  if (status) return status;
  throw new NameMissing(`pod ${pod.metadata.name} reports no status of a container ${name}`);
}

/** A container of a pod or template by its documented name, init containers included. */
export function containerNamed(spec: PodSpec | undefined, name: string, of: string): Container {
  const found = [...(spec?.initContainers ?? []), ...(spec?.containers ?? [])].find((c) => c.name === name);
  if (found) return found;
  throw new NameMissing(`${of} has no container ${name}`);
}

function rolloutFailure(
  { kind, name }: WorkloadHandle,
  { history, details, waited, hopeless }: WaitTimeout,
): CheckFailure {
  const seen = history.at(-1)?.seen ?? 'nothing was seen';
  const why = hopeless === undefined ? '' : `: ${hopeless}`;
  return new CheckFailure('E_ROLLOUT', `${kind} ${name}: ${seen} after ${waited}${why}`, {
    details,
  });
}
