/** What helm is to the rest of the harness. Implemented in helm.ts over the real program. */
import type { KubeObject } from '../api/types.ts';
import type { Manifest } from '../manifests/parse.ts';
import type { Capabilities } from './capabilities.ts';
import type { ManifestPatch } from '../manifests/patch.ts';

/** A chart with the values that this subject gives it; later values files and `set` win, as with helm. */
export interface Subject {
  /** A chart's folder, or a packaged chart (.tgz). */
  chart: string;
  values: readonly string[];
  /** `key=value`, as `helm --set`. */
  set: readonly string[];
  /** `key=value`, as `helm --set-string`. */
  setString?: readonly string[];
}

export interface ChartSource extends Subject {
  releaseName: string;
  namespace: string;
  /** Laid over what the chart renders, for render, install and upgrade alike. */
  patches?: readonly ManifestPatch[];
}

export interface ReleaseRef {
  releaseName: string;
  namespace: string;
}

/** Capabilities given here go before those of the cluster. */
export interface RenderOptions extends Capabilities {
  /** Renders as an upgrade (`.Release.IsUpgrade`). */
  isUpgrade?: boolean;
}

export interface Rendered {
  /** Everything that the chart renders, hooks included, in helm's order. */
  objects: KubeObject[];
  /** Those of `objects` that are hooks; `hookEvents` says of which events. */
  hooks: KubeObject[];
  /** The same as `objects` with the template that each came from. */
  manifests: Manifest[];
  text: string;
}

export interface LintMessage {
  severity: 'info' | 'warning' | 'error';
  /** `Chart.yaml`, `templates/deployment.yaml`, `values.yaml`. */
  path: string;
  text: string;
}

export interface LintResult {
  /** No errors; warnings do not count. */
  ok: boolean;
  messages: LintMessage[];
}

export interface ApplyOptions {
  /** Helm waits itself. Default false: the harness waits and says what it saw. */
  wait?: boolean;
  createNamespace?: boolean;
  /** Limit of helm's own waiting (hooks, `wait`); default 120 000 ms. */
  timeoutMs?: number;
}

export interface UninstallOptions extends ReleaseRef {
  /** A release that is not there is no error. */
  ignoreNotFound?: boolean;
  /** Waits until the objects are gone; default false. */
  wait?: boolean;
  keepHistory?: boolean;
  timeoutMs?: number;
}

/** One revision of an installed release. */
export interface ReleaseInfo {
  name: string;
  namespace: string;
  revision: number;
  /** `deployed`, `failed`, `pending-install`, `superseded`, `uninstalled`, … */
  status: string;
  /** What happened to it, in helm's words: `Install complete`. */
  description: string;
  notes: string;
  /** Manifest of the revision, without hooks. */
  manifest: string;
}

export interface ReleaseSummary {
  name: string;
  namespace: string;
  revision: number;
  status: string;
  /** `toolman-0.3.0` */
  chart: string;
  appVersion: string;
}

export interface HistoryEntry {
  revision: number;
  status: string;
  chart: string;
  appVersion: string;
  description: string;
}

export interface HelmTestResult {
  /** At least one test ran, and none failed. */
  ok: boolean;
  tests: { name: string; phase: string }[];
  /** Helm's output, logs of the test pods included. */
  output: string;
}

/**
 * Every method throws InterruptedError when the run's signal aborts, InfrastructureError when helm or the cluster cannot be
 * reached, UsageError when the chart or its values are wrong, and CheckFailure when the cluster refuses what the chart renders.
 */
export interface Helm {
  /** `v3.22.0` */
  version(): Promise<string>;
  lint(subject: Subject): Promise<LintResult>;
  render(source: ChartSource, options?: RenderOptions): Promise<Rendered>;
  /**
   * Everything that can be known to be wrong without a cluster: chart folder, Chart.yaml, values files, `--set` syntax, values
   * schema, templates, lint errors.
   *
   * @returns what the subject renders
   * @throws UsageError naming file, line and what to do
   */
  validateSubject(subject: Subject & Partial<ReleaseRef>): Promise<Rendered>;
  install(source: ChartSource, options?: ApplyOptions): Promise<ReleaseInfo>;
  /** `resetValues` semantics: values are exactly those of the source, none of the previous revision's. */
  upgrade(source: ChartSource, options?: ApplyOptions): Promise<ReleaseInfo>;
  /** To `revision`, or the previous one. */
  rollback(release: ReleaseRef, options?: ApplyOptions & { revision?: number }): Promise<ReleaseInfo>;
  /** Runs the chart's test hooks. A failing test is a result, not an error. */
  test(release: ReleaseRef, options?: { timeoutMs?: number }): Promise<HelmTestResult>;
  uninstall(options: UninstallOptions): Promise<void>;
  /** `undefined` when there is no such release. */
  status(release: ReleaseRef, revision?: number): Promise<ReleaseInfo | undefined>;
  /** Releases of a namespace, of all when none is named; in every state. */
  list(namespace?: string): Promise<ReleaseSummary[]>;
  /** Objects of an installed revision, without hooks. */
  getManifest(release: ReleaseRef, revision?: number): Promise<KubeObject[]>;
  /** Values given by the user; with `all` the chart's defaults under them. */
  getValues(
    release: ReleaseRef,
    options?: { all?: boolean; revision?: number },
  ): Promise<Record<string, unknown>>;
  /** Oldest first. */
  history(release: ReleaseRef): Promise<HistoryEntry[]>;
}
