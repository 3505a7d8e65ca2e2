/**
 * The lab of a check: installs releases and creates namespaces. Checks that only read share one release; a disruptive check installs
 * its own, which is uninstalled when the check ends.
 */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { podsReplaced } from '../../observe/waits/pod-end.ts';
import { podReady } from '../../observe/waits/pod-start.ts';
import { systemClock } from '../../core/deadline.ts';
import { CheckFailure, DoesNotFit, InterruptedError, type UsageError } from '../../core/errors.ts';
import { createCommandRunner, type CommandRunner } from '../../core/command.ts';
import type { Lifecycle } from '../../core/lifecycle.ts';
import type { KubeClient } from '../../kube/api/client.ts';
import { deleteNamespace } from '../../kube/api/namespace-end.ts';
import { createNamespace } from '../../kube/api/new-namespace.ts';
import type { ChartSource, Helm, Rendered } from '../../kube/helm/types.ts';
import { secretsIn } from '../../kube/api/secret-values.ts';
import type { KubeObject, Pod } from '../../kube/api/types.ts';
import { patchObjects, type ManifestPatch } from '../../kube/manifests/patch.ts';
import { RUN_LABEL } from '../../core/run-id.ts';
import { startRecorder, type Recorder } from '../../observe/recorder/recorder.ts';
import type { Recording } from '../../observe/recorder/recording.ts';
import { watchSecrets } from '../../observe/recorder/secret-watch.ts';
import type { MaybePrepared, PreparedNamespace } from './environment.ts';
import { refuseClash } from './cluster-scoped-clash.ts';
import type { ReferenceSubject } from './definition.ts';
import { hasOptional, optionalManifests } from './optional-manifests.ts';
import { refusalOf, renderFitting, type OwnChanges } from './own-changes.ts';
import { lossOf, preparePrerequisites } from './prerequisites.ts';
import { referenceOf } from './reference.ts';
import { Release } from './release.ts';
import { DisturbanceError, type SharedLab } from './shared-lab.ts';
import type { SubjectConfig, SubjectSource } from './worker-config.ts';

/** Another system, which a check installs beside the subject, as it is. */
export interface Neighbour extends Pick<ReferenceSubject, 'chart' | 'values'> {
  /** By it, the fault of a proof changes this system: `Fault.neighbours`. */
  name: string;
  releaseName: string;
}

export interface InstallOptions<Options = unknown> {
  /** Installs this system in place of the subject; the environment of the suite prepares nothing for it. */
  neighbour?: Neighbour;
  /** The version before the subject, without the fault of a proof. */
  previous?: boolean;
  /** Without the values of the subject: as the chart is by itself. */
  onlyChart?: boolean;
  /** `key=value`; override the subject's values. */
  set?: readonly string[];
  /** More values files. */
  values?: readonly string[];
  /** Applied to the rendered manifests, for changes that no documented value expresses. */
  patches?: readonly ManifestPatch[];
  /** Installs into this namespace instead of a new one. */
  namespace?: string;
  releaseName?: string;
  /** Labels of the new namespace, e.g. Pod Security admission. */
  namespaceLabels?: Record<string, string>;
  /** What the suite's environment prepares in the namespace. */
  environment?: Options;
  /** `false`: only prepares and records; the check applies `release.objects` itself, in its own order. */
  apply?: boolean;
  /** `false`: does not wait for the rollout. */
  rollout?: boolean;
  /**
   * `true`: starts before the shared release is ready, for the check that a run of a few checks would have to wait for. Two installs side
   * by side take time from each other, so it is not for many.
   */
  early?: boolean;
  timeoutMs?: number;
}

/** What can be changed about a subject that is only rendered. */
export type RenderOptions = Pick<
  InstallOptions,
  'neighbour' | 'previous' | 'onlyChart' | 'set' | 'values' | 'patches' | 'releaseName' | 'namespace'
>;

/** The lab of one check. `Options`, `Prepared`: of the suite's environment. */
export class Lab<Options = unknown, Prepared extends MaybePrepared = MaybePrepared> {
  readonly #shared: SharedLab;
  readonly #lifecycle: Lifecycle;
  /** Namespaces that the check worked in: diagnosis reads them. */
  readonly namespaces = new Set<string>();

  readonly #checkId: string;
  #usesShared = false;
  /** When this check waited for prerequisites; without an end, it still does. */
  readonly #preparations: { from: number; to?: number }[] = [];

  constructor(shared: SharedLab, lifecycle: Lifecycle, checkId: string) {
    this.#shared = shared;
    this.#checkId = checkId;
    this.#lifecycle = lifecycle;
    shared.namespacesOf.set(checkId, this.namespaces);
  }

  /** The shared release, installed and rolled out on first use. */
  async shared(): Promise<Release<Prepared>> {
    this.#usesShared = true;
    const { sharedNamespaces } = this.#shared;
    try {
      const release = await this.#shared.sharedRelease(this.#checkId, async () => {
        const made = await this.#install({ rollout: true }, this.#shared.lifecycle, (namespace) => {
          sharedNamespaces.push(namespace);
        });
        await this.#disturb(made);
        return made;
      });
      return release as Release<Prepared>;
    } finally {
      for (const namespace of sharedNamespaces) this.namespaces.add(namespace);
    }
  }

  /**
   * Installs a release for this check only.
   *
   * @throws DoesNotFit when it cannot exist beside the shared release
   */
  async install(options: InstallOptions<Options> = {}): Promise<Release<Prepared>> {
    await this.#makeRoom();
    const release = options.early ? await this.#installEarly(options) : await this.#installNext(options);
    if (options.apply !== false) await this.#disturb(release);
    return release;
  }

  async #installNext(options: InstallOptions<Options>): Promise<Release<Prepared>> {
    const shared = await this.#shared.sharedReleaseSettled();
    return this.#install(options, this.#lifecycle, () => {}, shared?.objects);
  }

  async #installEarly(options: InstallOptions<Options>): Promise<Release<Prepared>> {
    const beside = this.#shared.installsShared ? (await this.subject()).objects : undefined;
    try {
      return await this.#install(options, this.#lifecycle, () => {}, beside);
    } catch (error) {
      if (error instanceof DoesNotFit) throw error;
      // The check that installs the shared release reports the cause.
      await this.#shared.sharedReleaseSettled();
      throw error;
    }
  }

  /** @throws DoesNotFit when the check needs the shared release of a subject that can exist only once */
  async #makeRoom(): Promise<void> {
    if (this.#shared.deps.subject.once !== true) return;
    if (this.#usesShared) {
      throw new DoesNotFit('the chart can be installed only once on a cluster, and the check needs it twice');
    }
    await this.#shared.makeRoom();
  }

  /** Records a namespace in which another program is going to create objects; diagnosis reads it. */
  async record(namespace: string): Promise<void> {
    this.namespaces.add(namespace);
    await this.#recorderOf(namespace, this.#lifecycle);
  }

  /** A release of objects that another program has created: its owner removes them, or their namespace. */
  async adopt(identity: {
    name: string;
    namespace: string;
    objects: readonly KubeObject[];
  }): Promise<Release> {
    this.namespaces.add(identity.namespace);
    const recorder = await this.#recorderOf(identity.namespace, this.#lifecycle);
    const deps = { kube: this.kube, recorder, signal: this.#shared.deps.signal };
    return new Release({ ...identity, environment: undefined }, deps);
  }

  /**
   * Applies the disturbance of the fault.
   *
   * @throws DisturbanceError: a disturbance that fails is no failure of the subject
   */
  async #disturb(release: Release): Promise<void> {
    const { fault, cluster, signal } = this.#shared.deps;
    try {
      await fault?.disturb?.({ release, cluster });
    } catch (error) {
      if (error instanceof InterruptedError || signal.aborted) throw error;
      throw (this.#shared.failedDisturbance ??= new DisturbanceError(error));
    }
  }

  /**
   * Renders the subject with these options; installs nothing.
   *
   * @throws DoesNotFit when the options do not fit the subject
   */
  render(options: RenderOptions = {}): Promise<Rendered> {
    return renderFitting(this.#changes(options));
  }

  /**
   * What the subject renders without changes of a check, and in which namespace. Rendered once: from it, checks learn before an install
   * what plays which role.
   */
  async subject(): Promise<{ objects: readonly KubeObject[]; namespace: string }> {
    const { namespace } = this.source();
    const rendering = (this.#shared.rendered ??= this.render());
    rendering.catch(() => {
      // Another check may have more luck.
      if (this.#shared.rendered === rendering) this.#shared.rendered = undefined;
    });
    const { objects } = await rendering;
    return { objects, namespace };
  }

  /**
   * Why the subject refuses to render with these options; `undefined` when it renders.
   *
   * @throws DoesNotFit when it does not know the options
   */
  refusal(options: RenderOptions): Promise<UsageError | undefined> {
    return refusalOf(this.#changes(options));
  }

  #changes(options: RenderOptions, prepared?: PreparedNamespace): OwnChanges {
    // With its own values, also where the check asks for the chart alone: many charts need some.
    const sound = { ...options, onlyChart: false, set: [], values: [], patches: [] };
    return {
      render: (source) => this.#render(source),
      source: this.source(options, prepared),
      sound: this.source(sound),
      given: options.onlyChart || options.neighbour ? [] : this.#shared.deps.subject.set,
      set: options.set ?? [],
    };
  }

  get kube(): KubeClient {
    return this.#shared.deps.cluster.kube;
  }

  /** For what a check creates outside of its namespaces: by them, a later run and a sweep find what a killed run left. */
  get labels(): Record<string, string> {
    return { [RUN_LABEL]: this.#shared.deps.runId };
  }

  /** Upgrades a release with other values or patches and waits for the rollout. */
  async upgrade(
    release: Release,
    options: Pick<InstallOptions, 'onlyChart' | 'set' | 'values' | 'patches' | 'rollout' | 'timeoutMs'>,
  ): Promise<void> {
    const { deployer } = this.#shared.deps;
    const prepared = await this.#shared.prepared.get(release.namespace);
    const place = { releaseName: release.name, namespace: release.namespace };
    const changes = this.#changes({ ...options, ...place }, prepared);
    const { source } = changes;
    const { objects } = await renderFitting(changes);
    const { limits } = this.#shared.deps.definition;
    await deployer.upgrade(source, limits && { timeoutMs: limits.hookMs });
    release.replaceObjects(objects);
    if (options.rollout !== false) await release.rolledOut(options.timeoutMs);
  }

  /**
   * Takes a release that was upgraded from the version before back to it, as its owner does, and waits for the rollout: helm rolls back,
   * plain manifests are applied.
   */
  async takeBack(release: Release): Promise<void> {
    const { deployer, definition } = this.#shared.deps;
    const prepared = await this.#shared.prepared.get(release.namespace);
    const place = { releaseName: release.name, namespace: release.namespace };
    const changes = this.#changes({ ...place, previous: true }, prepared);
    const { objects } = await renderFitting(changes);
    const { limits } = definition;
    await deployer.rollback(changes.source, limits && { timeoutMs: limits.hookMs });
    release.replaceObjects(objects);
    await release.rolledOut();
  }

  /** Uninstalls a release before the check ends, as its owner does. */
  async uninstall({ name: releaseName, namespace }: Release): Promise<void> {
    const { deployer, definition } = this.#shared.deps;
    const { limits } = definition;
    await deployer.uninstall({ releaseName, namespace, ...(limits && { timeoutMs: limits.hookMs }) });
  }

  /**
   * Deletes pods of a release, by default all of them, and waits until the release is rolled out again with all pods ready;
   * returns the first of them.
   */
  async replacePods(release: Release, deleted?: readonly Pod[]): Promise<Pod> {
    const before = await release.pods();
    const victims = deleted ?? before;
    for (const { metadata } of victims) {
      await this.kube.delete('Pod', {
        name: metadata.name,
        namespace: metadata.namespace ?? release.namespace,
      });
    }
    const { signal } = this.#shared.deps;
    const beside = before.filter(({ metadata }) => metadata.namespace === victims[0]?.metadata.namespace);
    await podsReplaced(this.kube, victims, beside.length, { signal });
    await release.rolledOut();
    // The status of their workload may still count pods that are gone.
    const pods = await release.pods();
    const wait = { timeoutMs: release.rolloutMs, signal };
    const [first] = await Promise.all(pods.map(({ metadata }) => podReady(this.kube, metadata, wait)));
    if (!first) throw new CheckFailure('E_SELECTED_NOTHING', `release ${release.name} has no pods`);
    return first;
  }

  get helm(): Helm {
    return this.#shared.deps.helm;
  }

  /** Path of the helm program, for checks that run documented commands. */
  get helmPath(): string | undefined {
    return this.#shared.deps.helmPath;
  }

  /**
   * A document in the chart's folder, e.g. `README.md`; `undefined` when there is none, or no folder.
   *
   * @throws CheckFailure `E_FAULT` when the fault changes words that the document does not contain, or takes away what is not there
   */
  async document(file: string): Promise<string | undefined> {
    const { subject, fault } = this.#shared.deps;
    const text = await readFile(join(subject.chart, file), 'utf8').catch(() => undefined);
    return (fault?.documents ?? [])
      .filter((change) => change.file === file)
      .reduce<string | undefined>((changed, change) => {
        if ('missing' in change) {
          if (changed !== undefined) return undefined;
          throw new CheckFailure('E_FAULT', `there is no ${file}`);
        }
        const { replace, by } = change;
        if (changed?.includes(replace)) return changed.replace(replace, () => by);
        throw new CheckFailure('E_FAULT', `${file} does not say "${replace}"`);
      }, text);
  }

  /**
   * The objects of a file of optional manifests, which the check applies itself. The fault is applied to them.
   *
   * @throws UsageError `E_MANIFEST`; `E_PATCH_TARGET` or `E_PATCH` when the fault does not fit them
   */
  async optional(file: string): Promise<KubeObject[]> {
    const { subject, definition, fault } = this.#shared.deps;
    const reference = referenceOf(definition, subject.referenceName);
    const objects = await optionalManifests(subject.chart, reference.chart, file);
    return patchObjects(objects, fault?.optional?.[file] ?? []);
  }

  /** Whether the subject itself offers that file; otherwise `optional` reads the reference's, with the reference's names. */
  hasOptional(file: string): Promise<boolean> {
    return hasOptional(this.#shared.deps.subject.chart, file);
  }

  /**
   * The description of the platform under test, and what the fault adds to the environment of its commands; `undefined` when a chart is
   * tested.
   */
  get platform(): { file: string; env: Readonly<Record<string, string>> } | undefined {
    const { subject, fault } = this.#shared.deps;
    return subject.platform === undefined
      ? undefined
      : { file: subject.platform, env: fault?.platform ?? {} };
  }

  /** Runs programs on this machine; the end of the run ends them. */
  get command(): CommandRunner {
    const { log, signal } = this.#shared.deps;
    return createCommandRunner({ log, signal });
  }

  /** How programs reach the cluster of the run: the path of its kubeconfig, and the context in it. */
  get access(): { kubeconfig: string; context: string } {
    const { kubeconfig, context } = this.#shared.deps.cluster;
    return { kubeconfig, context };
  }

  /** Holds the log, recordings and reports of the run. */
  get runDirectory(): string {
    return this.#shared.deps.runDirectory;
  }

  /**
   * The subject with everything that is applied to it, in this order: its own values and patches, the environment's, the check's, the
   * fault's.
   *
   * @throws DoesNotFit when the run knows no version before
   */
  source(options: RenderOptions = {}, prepared?: PreparedNamespace): ChartSource {
    const { definition, fault, subject: own } = this.#shared.deps;
    const { neighbour } = options;
    if (neighbour) {
      const changed = fault?.neighbours?.[neighbour.name];
      return {
        chart: neighbour.chart,
        values: [...neighbour.values, ...(options.values ?? [])],
        set: [...(options.set ?? []), ...(changed?.set ?? [])],
        releaseName: options.releaseName ?? neighbour.releaseName,
        namespace: options.namespace ?? 'default',
        patches: [...(options.patches ?? []), ...(changed?.patches ?? [])],
      };
    }
    const subject: SubjectSource = options.previous ? previousOf(own) : own;
    const ofFault = options.previous
      ? { set: [], patches: fault?.previous ?? [] }
      : { set: fault?.set ?? [], patches: fault?.patches ?? [] };
    return {
      chart: subject.chart,
      values: [...(options.onlyChart ? [] : subject.values), ...(options.values ?? [])],
      set: [...(options.onlyChart ? [] : subject.set), ...(options.set ?? []), ...ofFault.set],
      releaseName: options.releaseName ?? definition.subject.releaseName,
      namespace: options.namespace ?? 'default',
      patches: [
        ...subject.patches,
        ...(prepared?.patches ?? []),
        ...(options.patches ?? []),
        ...ofFault.patches,
      ],
    };
  }

  /** Creates a namespace, which is deleted when the check ends. */
  async namespace(labels: Record<string, string> = {}, lifecycle = this.#lifecycle): Promise<string> {
    const { cluster, runId, definition, clock, signal } = this.#shared.deps;
    const name = this.#shared.nextNamespace();
    lifecycle.defer(`delete namespace ${name}`, () => deleteNamespace(cluster.kube.teardown, name));
    const own = { [RUN_LABEL]: runId, 'kindproof.dev/suite': definition.name };
    await createNamespace(cluster.kube, { name, labels: { ...own, ...labels } }, { clock, signal });
    return name;
  }

  /**
   * Prepares a namespace on first use: what the suite's environment puts there, and the prerequisites of the subject, which are ready when
   * this resolves.
   *
   * @returns what the environment has prepared; `undefined` when the suite has none
   * @throws InfrastructureError `E_PREREQUISITE`
   */
  environment(namespace: string, options?: Options, lifecycle = this.#lifecycle): Promise<Prepared> {
    const { prepared, deps } = this.#shared;
    const prepare = async (): Promise<MaybePrepared> => {
      lifecycle.defer(`forget what was prepared in ${namespace}`, () => void prepared.delete(namespace));
      const own = await (await deps.environment?.())?.prepare(namespace, options, lifecycle);
      await this.#applyPrerequisites(namespace);
      return own;
    };
    const started = prepared.get(namespace) ?? prepare();
    prepared.set(namespace, started);
    // createSuiteKit takes both types from the definition whose environment this is.
    return started as Promise<Prepared>;
  }

  async #applyPrerequisites(namespace: string): Promise<void> {
    const objects = await this.#shared.prerequisites();
    if (objects.length === 0) return;
    const { cluster, signal, clock = systemClock } = this.#shared.deps;
    this.namespaces.add(namespace);
    const span: { from: number; to?: number } = { from: clock.now() };
    this.#preparations.push(span);
    try {
      const pods = await preparePrerequisites(objects, namespace, { kube: cluster.kube, signal, clock });
      this.#shared.prerequisitePods.set(namespace, pods);
    } finally {
      span.to = clock.now();
    }
  }

  /**
   * Says which prerequisite in the namespaces of this check was not ready, or gone, some time after it had been ready. Then a failure may
   * not be the subject's. On a shared release, that time may be before the check. `undefined` when none was.
   */
  async lostPrerequisite(): Promise<string | undefined> {
    for (const namespace of this.namespaces) {
      const recording = await this.recordingOf(namespace);
      const pods = this.#shared.prerequisitePods.get(namespace) ?? [];
      const lost = recording && pods.flatMap((pod) => lossOf(pod, recording))[0];
      if (lost !== undefined) return lost;
    }
    return undefined;
  }

  /** How long this check has waited for prerequisites until now, in ms. That is not its own time. */
  preparingMs(now: number): number {
    return this.#preparations.reduce((sum, { from, to = now }) => sum + to - from, 0);
  }

  /** What was recorded in a namespace until now; `undefined` when nothing is or was recorded there. */
  async recordingOf(namespace: string): Promise<Recording | undefined> {
    const recorder = await this.#shared.recorders.get(namespace)?.catch(() => undefined);
    return recorder?.recording.within(namespace);
  }

  /** Registers an undo that runs when the check ends. */
  defer(title: string, undo: () => Promise<void>): void {
    this.#lifecycle.defer(title, undo);
  }

  /** What is rendered is redacted from now on, even where Secrets may not be read. */
  async #render(source: ChartSource): Promise<Rendered> {
    const { deployer, redactor } = this.#shared.deps;
    const rendered = await deployer.render(source);
    redactor.learn(secretsIn(rendered.objects));
    return rendered;
  }

  async #install(
    options: InstallOptions<Options>,
    lifecycle: Lifecycle,
    onNamespace: (name: string) => void,
    beside?: readonly KubeObject[],
  ): Promise<Release<Prepared>> {
    const { cluster, deployer, signal } = this.#shared.deps;
    const namespace = options.namespace ?? (await this.namespace(options.namespaceLabels, lifecycle));
    this.namespaces.add(namespace);
    onNamespace(namespace);
    const recorder = await this.#recorderOf(namespace, lifecycle);
    const environment = options.neighbour
      ? (undefined as Prepared)
      : await this.environment(namespace, options.environment, lifecycle);
    const changes = this.#changes({ ...options, namespace }, environment);
    const { source } = changes;
    const { objects } = await renderFitting(changes);
    if (beside) refuseClash(objects, { namespace, shared: beside });
    const apply = options.apply !== false;
    const named = apply ? await this.#createNamedNamespaces(objects, namespace, lifecycle) : [];
    named.forEach(onNamespace);
    const { recording } = recorder;
    const { limits } = this.#shared.deps.definition;
    const others = await Promise.all(named.map((name) => this.#recorderOf(name, lifecycle, recording)));
    const release = new Release(
      { name: source.releaseName, namespace, objects, environment },
      { kube: cluster.kube, recorder, others, signal, rolloutMs: limits?.rolloutMs },
    );
    if (!apply) return release;
    lifecycle.defer(`uninstall ${source.releaseName} from ${namespace}`, async () => {
      await deployer.uninstall({ releaseName: source.releaseName, namespace, ignoreNotFound: true });
    });
    await deployer.install(source, limits && { timeoutMs: limits.hookMs });
    if (options.rollout !== false) await release.rolledOut(options.timeoutMs);
    return release;
  }

  /**
   * Creates the namespaces that objects name and that the chart does not render: helm expects them to exist. Those that are there already
   * belong to somebody else, and are left alone, unless an earlier release of the check has created them.
   *
   * @param home the namespace of the release
   * @returns the namespaces that belong to the release beside its own
   */
  async #createNamedNamespaces(
    objects: readonly KubeObject[],
    home: string,
    lifecycle: Lifecycle,
  ): Promise<string[]> {
    const { cluster, clock, signal } = this.#shared.deps;
    const rendered = new Set(
      objects.filter(({ kind }) => kind === 'Namespace').map(({ metadata }) => metadata.name),
    );
    const named = new Set(objects.flatMap(({ metadata }) => metadata.namespace ?? []));
    named.delete(home);
    const own: string[] = [];
    for (const name of named) {
      const isKnown = this.#shared.recorders.has(name);
      const isOthers =
        !isKnown && !rendered.has(name) && (await cluster.kube.get('Namespace', { name })) !== undefined;
      if (isOthers) continue;
      own.push(name);
      this.namespaces.add(name);
      if (isKnown || rendered.has(name)) continue;
      lifecycle.defer(`delete namespace ${name}`, () => deleteNamespace(cluster.kube.teardown, name));
      await createNamespace(cluster.kube, { name, labels: this.labels }, { clock, signal });
    }
    return own;
  }

  /**
   * One recorder for each namespace, also with several releases in it.
   *
   * @param recording of the release, for a namespace that its objects name
   */
  #recorderOf(namespace: string, lifecycle: Lifecycle, recording?: Recording): Promise<Recorder> {
    const { recorders } = this.#shared;
    const known = recorders.get(namespace);
    if (known) return known;
    const { cluster, log, redactor, runDirectory } = this.#shared.deps;
    const start = async (): Promise<Recorder> => {
      const secrets = watchSecrets({ kube: cluster.kube, namespace, redactor, log });
      lifecycle.defer(`stop watching the Secrets of ${namespace}`, () => secrets.stop());
      const file = join(runDirectory, 'recording', `${namespace}.jsonl`);
      const recorder = await startRecorder({
        kube: cluster.kube,
        namespace,
        recording,
        file,
        redact: redactor.redact,
        log,
      });
      lifecycle.defer(`stop recording ${namespace}`, () => {
        // The file has everything. In memory, an hour of checks would take hundreds of megabytes.
        recorders.delete(namespace);
        return recorder.stop();
      });
      await Promise.all([secrets.synced, recorder.synced]);
      return recorder;
    };
    const started = start();
    recorders.set(namespace, started);
    return started;
  }
}

function previousOf({ previous }: SubjectConfig): SubjectSource {
  if (previous) return previous;
  throw new DoesNotFit(
    'no version before is known: add --previous with its folder, package or oci:// reference (--previous-version)',
  );
}
