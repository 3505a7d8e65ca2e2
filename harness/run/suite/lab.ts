/**
 * The lab: installs releases for checks. One release is shared by all checks that only look; a check that disturbs something
 * installs its own, which is taken down when the check ends.
 */
import { mkdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { podReady } from '../../observe/waits/pod-start.ts';
import { waitFor, type Clock } from '../../core/deadline.ts';
import { CheckFailure } from '../../core/errors.ts';
import { Lifecycle } from '../../core/lifecycle.ts';
import type { Log } from '../../core/log.ts';
import type { KubeClient } from '../../kube/api/client.ts';
import { createNamespace } from '../../kube/api/new-namespace.ts';
import type { Deployer } from '../../kube/deploy/deployer.ts';
import type { ChartSource, Helm, Rendered } from '../../kube/helm/types.ts';
import type { KubeObject, Pod } from '../../kube/api/types.ts';
import { patchObjects, type ManifestPatch } from '../../kube/manifests/patch.ts';
import { RUN_LABEL } from '../../core/run-id.ts';
import { startRecorder, type Recorder } from '../../observe/recorder/recorder.ts';
import type { AttachedCluster } from './attached-cluster.ts';
import type { Fault, SuiteDefinition } from './definition.ts';
import type { Environment, PreparedNamespace } from './environment.ts';
import { optionalManifests } from './optional-manifests.ts';
import { Release } from './release.ts';
import type { SubjectConfig } from './worker-config.ts';

export interface InstallOptions {
  /** `key=value`, over the subject's own. */
  set?: readonly string[];
  /** More values files. */
  values?: readonly string[];
  /** Laid over what the chart renders, for what no documented value expresses. */
  patches?: readonly ManifestPatch[];
  /** Installs into this namespace instead of a new one. */
  namespace?: string;
  releaseName?: string;
  /** Labels of the new namespace, e.g. Pod Security admission. */
  namespaceLabels?: Record<string, string>;
  /** What the suite's environment is asked for in the namespace, in the suite's own words. */
  environment?: unknown;
  /** `false`: everything is prepared and recorded, and the check applies `release.objects` by itself, in an order of its own. */
  apply?: boolean;
  /** `false`: returns right after helm, without waiting for the rollout. */
  rollout?: boolean;
  timeoutMs?: number;
}

export interface LabDeps {
  definition: SuiteDefinition;
  subject: SubjectConfig;
  cluster: AttachedCluster;
  helm: Helm;
  /** The program behind `helm`. */
  helmPath?: string | undefined;
  /** Installs the subject, whichever form it has. */
  deployer: Deployer;
  /** Opened on first use; absent when the suite has none. */
  environment?: (() => Promise<Environment>) | undefined;
  runId: string;
  runDirectory: string;
  /** Overlay of every install, in a proof. */
  fault?: Fault | undefined;
  redact: readonly string[];
  /** The cluster is deleted after the run: an interrupted check leaves its things to that. */
  disposable?: boolean;
  log: Log;
  /** Aborted when the run is interrupted. */
  signal: AbortSignal;
  /** Replaced in unit tests. */
  clock?: Clock | undefined;
}

/** State that all checks of a suite share. */
export class SharedLab {
  readonly deps: LabDeps;
  readonly lifecycle: Lifecycle;
  /** By namespace. */
  readonly recorders = new Map<string, Promise<Recorder>>();
  /** By namespace: what its environment was prepared with. */
  readonly prepared = new Map<string, Promise<PreparedNamespace | undefined>>();
  readonly #prefix: string;
  #count = 0;
  #shared: Promise<Release> | undefined;
  #failureTold = false;
  /** Namespace of the shared release once it is being installed. */
  sharedNamespace: string | undefined;

  constructor(deps: LabDeps) {
    this.deps = deps;
    this.lifecycle = new Lifecycle(deps.log);
    this.#prefix = ['kp', deps.runId, deps.definition.name, ...(deps.fault ? [deps.fault.name] : [])]
      .join('-')
      .slice(0, 56)
      .replace(/-+$/, '');
  }

  nextNamespace(): string {
    this.#count += 1;
    return this.#count === 1 ? this.#prefix : `${this.#prefix}-${this.#count}`;
  }

  /**
   * The release that all undisturbed checks share.
   *
   * The first caller of a failed install gets its error; in an ordinary run the later ones get BlockedError, so that one cause is
   * told once.
   */
  async sharedRelease(install: () => Promise<Release>): Promise<Release> {
    this.#shared ??= install();
    try {
      return await this.#shared;
    } catch (error) {
      if (this.#failureTold && !this.deps.fault) throw new BlockedError(error);
      this.#failureTold = true;
      throw error;
    }
  }

  /**
   * Waits for the shared release where one is being installed: if that cannot become ready, neither can another one of the same
   * chart, and the same cause would be told again and again.
   *
   * @throws BlockedError
   */
  async sharedReleaseSettled(): Promise<void> {
    if (!this.#shared || this.deps.fault) return;
    try {
      await this.#shared;
    } catch (error) {
      throw new BlockedError(error);
    }
  }
}

/** The check could not be made, because what it rests on had already failed in another check. */
export class BlockedError extends CheckFailure {
  constructor(cause: unknown) {
    super('E_BLOCKED', 'not checked: the release never became ready (the first failure says why)', { cause });
  }
}

/** The lab of one check. */
export class Lab {
  readonly #shared: SharedLab;
  readonly #lifecycle: Lifecycle;
  /** Releases whose state explains a failure of this check. */
  readonly touched: { namespace: string; release?: Release }[] = [];

  constructor(shared: SharedLab, lifecycle: Lifecycle) {
    this.#shared = shared;
    this.#lifecycle = lifecycle;
  }

  /** The shared release, installed and rolled out on first use. */
  async shared(): Promise<Release> {
    const known = this.#shared.sharedNamespace;
    if (known !== undefined) this.touched.push({ namespace: known });
    const release = await this.#shared.sharedRelease(async () => {
      const made = await this.#install({ rollout: true }, this.#shared.lifecycle, (namespace) => {
        this.#shared.sharedNamespace = namespace;
      });
      const { fault, cluster } = this.#shared.deps;
      if (fault?.disturb) await fault.disturb({ release: made, cluster });
      return made;
    });
    if (known === undefined) this.touched.push({ namespace: release.namespace, release });
    return release;
  }

  /** A release of the check's own. */
  async install(options: InstallOptions = {}): Promise<Release> {
    await this.#shared.sharedReleaseSettled();
    const release = await this.#install(options, this.#lifecycle, () => {});
    const { fault, cluster } = this.#shared.deps;
    if (fault?.disturb && options.apply !== false) await fault.disturb({ release, cluster });
    return release;
  }

  /** What helm renders for these options; nothing is installed. */
  render(
    options: Pick<InstallOptions, 'set' | 'values' | 'patches' | 'releaseName' | 'namespace'> & {
      onlyChart?: boolean;
    } = {},
  ): Promise<Rendered> {
    return this.#shared.deps.deployer.render(this.source(options));
  }

  get kube(): KubeClient {
    return this.#shared.deps.cluster.kube;
  }

  /** Upgrades a release of this check with other values or patches and waits for the rollout. */
  async upgrade(
    release: Release,
    options: Pick<InstallOptions, 'set' | 'values' | 'patches' | 'rollout' | 'timeoutMs'>,
  ): Promise<void> {
    const { deployer } = this.#shared.deps;
    const prepared = await this.#shared.prepared.get(release.namespace);
    const source = this.source(
      { ...options, releaseName: release.name, namespace: release.namespace },
      prepared,
    );
    const { objects } = await deployer.render(source);
    await deployer.upgrade(source);
    release.replaceObjects(objects);
    if (options.rollout !== false) await release.rolledOut(options.timeoutMs);
  }

  /** Deletes the pods of a release and waits until others are available and ready in their place; returns the first of them. */
  async replacePods(release: Release): Promise<Pod> {
    const before = await release.pods();
    for (const { metadata } of before) {
      await this.kube.delete('Pod', { name: metadata.name, namespace: release.namespace });
    }
    const deleted = new Set(before.map((p) => p.metadata.uid));
    const graceMs = Math.max(...before.map((p) => (p.spec.terminationGracePeriodSeconds ?? 30) * 1000));
    const { signal } = this.#shared.deps;
    await waitFor({
      what: `the ${before.length} deleted pods to be replaced`,
      timeoutMs: graceMs + 60_000,
      signal,
      look: async () => {
        const all = await this.kube.list('Pod', { namespace: release.namespace });
        // Others of the namespace belong to no workload.
        const owned = all.filter((p) => p.metadata.ownerReferences !== undefined);
        const left = owned.filter((p) => deleted.has(p.metadata.uid)).length;
        const others = owned.length - left;
        return left === 0 && others >= before.length
          ? { done: true, value: undefined }
          : { done: false, seen: `${left} still there, ${others} others` };
      },
    });
    await release.rolledOut();
    // The status of their workload may still speak of those that are gone.
    const pods = await release.pods();
    const wait = { timeoutMs: 150_000, signal };
    const [first] = await Promise.all(pods.map(({ metadata }) => podReady(this.kube, metadata, wait)));
    if (!first) throw new CheckFailure('E_SELECTED_NOTHING', `release ${release.name} has no pods`);
    return first;
  }

  get helm(): Helm {
    return this.#shared.deps.helm;
  }

  /** The program behind `helm`, for checks that run commands as documents give them. */
  get helmPath(): string | undefined {
    return this.#shared.deps.helmPath;
  }

  /**
   * A document in the chart's folder, e.g. `README.md`; `undefined` when there is none, or no folder.
   *
   * @throws CheckFailure `E_FAULT` when the fault under proof changes words that are not in it: it would prove nothing
   */
  async document(file: string): Promise<string | undefined> {
    const { subject, fault } = this.#shared.deps;
    const text = await readFile(join(subject.chart, file), 'utf8').catch(() => undefined);
    return (fault?.documents ?? [])
      .filter((change) => change.file === file)
      .reduce((changed, { replace, by }) => {
        if (changed?.includes(replace)) return changed.replace(replace, () => by);
        throw new CheckFailure('E_FAULT', `${file} does not say "${replace}"`);
      }, text);
  }

  /**
   * The objects of a file of optional manifests, which the check applies by itself, with the fault under proof over them.
   *
   * @throws UsageError E_PATCH_TARGET, E_PATCH when the fault does not fit them: it would prove nothing; E_MANIFEST
   */
  async optional(file: string): Promise<KubeObject[]> {
    const { subject, definition, fault } = this.#shared.deps;
    const objects = await optionalManifests(subject.chart, definition.subject.chart, file);
    return patchObjects(objects, fault?.optional?.[file] ?? []);
  }

  /** Where the run leaves its log, its recordings and its reports. */
  get runDirectory(): string {
    return this.#shared.deps.runDirectory;
  }

  /**
   * The chart with the subject's values, then what fits it to its environment, the check's own over them, and the fault under proof
   * over all.
   */
  source(
    options: Pick<InstallOptions, 'set' | 'values' | 'patches' | 'releaseName' | 'namespace'> & {
      onlyChart?: boolean;
    } = {},
    prepared?: PreparedNamespace,
  ): ChartSource {
    const { subject, definition, fault } = this.#shared.deps;
    return {
      chart: subject.chart,
      values: [...(options.onlyChart ? [] : subject.values), ...(options.values ?? [])],
      set: [...(options.onlyChart ? [] : subject.set), ...(options.set ?? []), ...(fault?.set ?? [])],
      releaseName: options.releaseName ?? definition.subject.releaseName,
      namespace: options.namespace ?? 'default',
      patches: [
        ...subject.patches,
        ...(prepared?.patches ?? []),
        ...(options.patches ?? []),
        ...(fault?.patches ?? []),
      ],
    };
  }

  /** A new namespace of this run; removed when the check ends. */
  async namespace(labels: Record<string, string> = {}, lifecycle = this.#lifecycle): Promise<string> {
    const { cluster, runId, definition, clock, signal } = this.#shared.deps;
    const name = this.#shared.nextNamespace();
    lifecycle.defer(`delete namespace ${name}`, () => cluster.kube.delete('Namespace', { name }));
    const own = { [RUN_LABEL]: runId, 'kindproof.dev/suite': definition.name };
    await createNamespace(cluster.kube, { name, labels: { ...own, ...labels } }, { clock, signal });
    return name;
  }

  /**
   * What the suite's environment has put into a namespace; prepared on first use, as `options` say.
   *
   * @returns `undefined` when the suite has no environment
   */
  environment(
    namespace: string,
    options?: unknown,
    lifecycle = this.#lifecycle,
  ): Promise<PreparedNamespace | undefined> {
    const { prepared, deps } = this.#shared;
    const known = prepared.get(namespace);
    if (known || !deps.environment) return known ?? Promise.resolve(undefined);
    const started = deps.environment().then((opened) => opened.prepare(namespace, options, lifecycle));
    prepared.set(namespace, started);
    return started;
  }

  /** Registers something to be undone when the check ends. */
  defer(title: string, undo: () => Promise<void>): void {
    this.#lifecycle.defer(title, undo);
  }

  async #install(
    options: InstallOptions,
    lifecycle: Lifecycle,
    onNamespace: (name: string) => void,
  ): Promise<Release> {
    const { cluster, deployer, signal } = this.#shared.deps;
    const namespace = options.namespace ?? (await this.namespace(options.namespaceLabels, lifecycle));
    this.touched.push({ namespace });
    onNamespace(namespace);
    const recorder = await this.#recorderOf(namespace, lifecycle);
    const environment = await this.environment(namespace, options.environment, lifecycle);
    const source = this.source({ ...options, namespace }, environment);
    const { objects } = await deployer.render(source);
    const release = new Release(
      { name: source.releaseName, namespace, objects, environment },
      { kube: cluster.kube, recorder, signal },
    );
    const last = this.touched.at(-1);
    if (last) last.release = release;
    if (options.apply === false) return release;
    lifecycle.defer(`uninstall ${source.releaseName} from ${namespace}`, async () => {
      await deployer.uninstall({ releaseName: source.releaseName, namespace, ignoreNotFound: true });
    });
    await deployer.install(source);
    if (options.rollout !== false) await release.rolledOut(options.timeoutMs);
    return release;
  }

  /** A namespace has one recorder, however often something is installed into it. */
  #recorderOf(namespace: string, lifecycle: Lifecycle): Promise<Recorder> {
    const { recorders } = this.#shared;
    const known = recorders.get(namespace);
    if (known) return known;
    const { cluster, log, redact, runDirectory } = this.#shared.deps;
    const start = async (): Promise<Recorder> => {
      const directory = join(runDirectory, 'recording');
      await mkdir(directory, { recursive: true });
      const file = join(directory, `${namespace}.jsonl`);
      const recorder = await startRecorder({ kube: cluster.kube, namespace, file, redact: [...redact], log });
      lifecycle.defer(`stop recording ${namespace}`, () => recorder.stop());
      await recorder.synced;
      return recorder;
    };
    const started = start();
    recorders.set(namespace, started);
    return started;
  }
}
