import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { createDeployer } from '../../../kube/deploy/deployer.ts';
import { createManifestDeployer } from '../../../kube/deploy/manifest-deployer.ts';
import { createHelm } from '../../../kube/helm/helm.ts';
import type { Task } from '../task.ts';
import type { TestRun } from '../test-run.ts';

/**
 * Renders every subject as the run will install it.
 *
 * @throws UsageError naming the file that is wrong, with a hint
 */
export const subjects: Task = {
  title: 'subject',
  async setup(run, { command, log, signal }) {
    const workDir = helmDirectory(run);
    await mkdir(workDir, { recursive: true });
    const kubeVersion = await run.provider.kubernetesVersion();
    const helm = createHelm({
      run: command,
      helmPath: run.tools.helm,
      workDir,
      capabilities: () => ({ kubeVersion }),
      log,
      signal,
    });
    const deployer = createDeployer(helm, createManifestDeployer({ signal }));
    for (const { definition, subject } of run.plan.suites) {
      const source = {
        chart: subject.chart,
        values: subject.values,
        set: subject.set,
        patches: subject.patches,
        releaseName: definition.subject.releaseName,
        namespace: 'default',
      };
      run.rendered.set(definition.name, await deployer.validateSubject(source));
    }
  },
  // Rendered values may contain secrets of the environment.
  teardown: (run) => rm(helmDirectory(run), { recursive: true, force: true }),
};

function helmDirectory({ directory }: TestRun): string {
  return join(directory, '.helm');
}
