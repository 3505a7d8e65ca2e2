/** What installs a subject: helm for a chart, server-side apply for a folder of plain manifests. */
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

/** Errors are those of Helm, whatever the form of the subject. */
export interface Deployer {
  render(source: ChartSource): Promise<Rendered>;
  /** Everything that can be known to be wrong without a cluster. */
  validateSubject(subject: Subject & Partial<ReleaseRef>): Promise<Rendered>;
  install(source: ChartSource, options?: ApplyOptions): Promise<unknown>;
  upgrade(source: ChartSource, options?: ApplyOptions): Promise<unknown>;
  uninstall(options: UninstallOptions): Promise<void>;
}

/** Asks the subject itself which of both it is; what was installed by one is uninstalled by the same. */
export function createDeployer(helm: Helm, manifests: Deployer): Deployer {
  const installedBy = new Map<string, Deployer>();
  const keyOf = ({ namespace, releaseName }: ReleaseRef): string => `${namespace}/${releaseName}`;
  const choose = async ({ chart }: { chart: string }): Promise<Deployer> =>
    (await isManifestFolder(chart)) ? manifests : helm;
  return {
    render: async (source) => (await choose(source)).render(source),
    validateSubject: async (subject) => (await choose(subject)).validateSubject(subject),
    async install(source, options) {
      const deployer = await choose(source);
      installedBy.set(keyOf(source), deployer);
      await deployer.install(source, options);
    },
    upgrade: async (source, options) => (await choose(source)).upgrade(source, options),
    uninstall: (options) => (installedBy.get(keyOf(options)) ?? helm).uninstall(options),
  };
}

/** A folder without Chart.yaml that has manifests in it; anything else is for helm to judge. */
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
