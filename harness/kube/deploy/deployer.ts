/** Installs a subject: a chart with helm, a folder of plain manifests with server-side apply. */
import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { manifestFiles } from '../manifests/manifest-files.ts';
import type {
  ApplyOptions,
  ChartSource,
  Helm,
  Rendered,
  ReleaseRef,
  Subject,
  UninstallOptions,
} from '../helm/types.ts';

import type { DeployTarget } from './claim-object.ts';
import { withMarkedDefinitions } from './mark-definitions.ts';

/** Throws the same errors as Helm, also for plain manifests. */
export interface Deployer {
  render(source: ChartSource): Promise<Rendered>;
  /** Checks everything that needs no cluster. */
  validateSubject(subject: Subject & Partial<ReleaseRef>): Promise<Rendered>;
  install(source: ChartSource, options?: ApplyOptions): Promise<unknown>;
  upgrade(source: ChartSource, options?: ApplyOptions): Promise<unknown>;
  /** Takes a release back to the revision before its last upgrade, which `source` was installed as. */
  rollback(source: ChartSource, options?: ApplyOptions): Promise<unknown>;
  uninstall(options: UninstallOptions): Promise<void>;
}

/**
 * Selects the deployer by the form of the subject. A release is uninstalled by the deployer that installed it.
 *
 * @param cluster not needed for operations without a cluster
 */
export function createDeployer(helm: Helm, manifests: Deployer, cluster?: DeployTarget): Deployer {
  const installedBy = new Map<string, Deployer>();
  const choose = async ({ chart }: { chart: string }): Promise<Deployer> =>
    (await isManifestFolder(chart)) ? manifests : helm;
  return {
    render: async (source) => (await choose(source)).render(source),
    validateSubject: async (subject) => (await choose(subject)).validateSubject(subject),
    async install(source, options) {
      const deployer = await choose(source);
      installedBy.set(releaseKey(source), deployer);
      const install = (): Promise<unknown> => deployer.install(source, options);
      await (deployer === helm && cluster
        ? withMarkedDefinitions(cluster, helm, source, install)
        : install());
    },
    upgrade: async (source, options) => (await choose(source)).upgrade(source, options),
    rollback: async (source, options) => (await choose(source)).rollback(source, options),
    uninstall: (options) => (installedBy.get(releaseKey(options)) ?? helm).uninstall(options),
  };
}

export function releaseKey({ namespace, releaseName }: ReleaseRef): string {
  return `${namespace}/${releaseName}`;
}

/** True for a folder that has manifests and no Chart.yaml. Everything else goes to helm, which reports what is wrong with it. */
export async function isManifestFolder(path: string): Promise<boolean> {
  const isFolder = await stat(path).then(
    (found) => found.isDirectory(),
    () => false,
  );
  if (!isFolder) return false;
  const isChart = await stat(join(path, 'Chart.yaml')).then(
    () => true,
    () => false,
  );
  return !isChart && (await manifestFiles(path)).length > 0;
}
