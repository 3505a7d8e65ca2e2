/** The interface of Helm for the rest of the harness. helm.ts implements it by running the helm program. */
import type { KubeObject } from '../api/types.ts';
import type { ManifestPatch } from '../manifests/patch.ts';
import type { PublishedChart } from './published-chart.ts';

/** A chart and its values. Precedence is helm's: later values files override earlier ones, `set` overrides files. */
export interface Subject {
  /** Folder of a chart, or a packaged chart (.tgz). */
  chart: string;
  values: readonly string[];
  /** `key=value`, as for `helm --set`. */
  set: readonly string[];
}

export interface ChartSource extends Subject {
  releaseName: string;
  namespace: string;
  /** Applied to the rendered manifests by render, install and upgrade. */
  patches?: readonly ManifestPatch[];
}

export interface ReleaseRef {
  releaseName: string;
  namespace: string;
}

export interface Rendered {
  /** All rendered objects, hooks included, in helm's order. */
  objects: KubeObject[];
}

export interface LintMessage {
  severity: 'info' | 'warning' | 'error';
  /** `Chart.yaml`, `templates/deployment.yaml`, `values.yaml`. */
  path: string;
  text: string;
}

export interface LintResult {
  /** True without errors; warnings are allowed. */
  ok: boolean;
  messages: LintMessage[];
}

export interface ApplyOptions {
  /** Helm itself waits for readiness. Default false: the harness waits, and reports the last state it saw. */
  wait?: boolean;
  createNamespace?: boolean;
  /** Limit for hooks and `wait`; default 120 000 ms. */
  timeoutMs?: number;
}

export interface UninstallOptions extends ReleaseRef {
  /** A missing release is not an error. */
  ignoreNotFound?: boolean;
  /** Waits until the objects are gone; default false. */
  wait?: boolean;
  timeoutMs?: number;
}

/** One revision of an installed release. */
export interface ReleaseInfo {
  name: string;
  namespace: string;
  revision: number;
  /** `deployed`, `failed`, `pending-install`, `superseded`, `uninstalled`, … */
  status: string;
  /** Helm's description of the last operation: `Install complete`. */
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

/**
 * Every method throws InterruptedError when the run's signal aborts, InfrastructureError when helm cannot run or the cluster is
 * unreachable, UsageError when the chart or its values are invalid, and CheckFailure when the cluster rejects the rendered objects.
 */
export interface Helm {
  lint(subject: Subject): Promise<LintResult>;
  render(source: ChartSource): Promise<Rendered>;
  /**
   * Checks everything that needs no cluster: chart folder, Chart.yaml, values files, `--set` syntax, values schema, templates, lint
   * errors.
   *
   * @returns the rendered objects
   * @throws UsageError with file, line and a hint
   */
  validateSubject(subject: Subject & Partial<ReleaseRef>): Promise<Rendered>;
  install(source: ChartSource, options?: ApplyOptions): Promise<ReleaseInfo>;
  /** The values are exactly those of the source, none of the previous revision (`--reset-values`). */
  upgrade(source: ChartSource, options?: ApplyOptions): Promise<ReleaseInfo>;
  /** Rolls back to `revision`, by default the previous one. */
  rollback(release: ReleaseRef, options?: ApplyOptions & { revision?: number }): Promise<ReleaseInfo>;
  uninstall(options: UninstallOptions): Promise<void>;
  /**
   * Runs the test hooks of an installed release.
   *
   * @param options.timeoutMs for each hook; default 120 000 ms
   * @returns helm's own words when a test fails; `undefined` when all pass
   */
  test(release: ReleaseRef, options?: { timeoutMs?: number }): Promise<string | undefined>;
  /** `undefined` when the release does not exist. */
  status(release: ReleaseRef): Promise<ReleaseInfo | undefined>;
  /** Releases of a namespace, by default of all, in every state. */
  list(namespace?: string): Promise<ReleaseSummary[]>;
  /** Objects of an installed release, without hooks. */
  getManifest(release: ReleaseRef): Promise<KubeObject[]>;
  /** Values given by the user; with `all`, merged over the chart's defaults. */
  getValues(release: ReleaseRef, options?: { all?: boolean }): Promise<Record<string, unknown>>;
  /** Names of the CustomResourceDefinitions in the folders `crds` of a chart and its dependencies. */
  definitions(chart: string): Promise<string[]>;
  /** Oldest first. */
  history(release: ReleaseRef): Promise<HistoryEntry[]>;
  /**
   * Downloads a chart from its registry into a folder, with the user's own credentials for it.
   *
   * @param version of Chart.yaml, or a range; the newest by default
   * @throws UsageError E_CHART when the registry refuses, has no such chart or version, or something that is no chart
   * @throws InfrastructureError E_CHART_PULL when no registry delivers, E_CHART_CORRUPT when the content has another digest
   */
  pull(
    reference: string,
    version: string | undefined,
    folder: string,
  ): Promise<{ file: string; published: PublishedChart }>;
}
