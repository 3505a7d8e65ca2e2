/** A shell that runs the commands of a document as its reader types them, on the cluster of the run only. */
import { mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { CommandError, createCommandRunner, type CommandResult } from '../../../harness/core/command.ts';
import { CheckFailure, InfrastructureError } from '../../../harness/core/errors.ts';
import type { AttachedCluster } from '../../../harness/run/suite/attached-cluster.ts';
import { CheckSkipped } from '../../../harness/run/suite/check.ts';
import type { Lab } from '../../../harness/run/suite/lab.ts';
import { findProgram } from '../../../harness/host/tools/find-program.ts';
import { DOCUMENTED_NAMESPACE, documentedNamespaceGone } from './documented-namespace.ts';

/** Where helm records a release when the commands name no namespace. */
const DEFAULT_NAMESPACE = 'default';

export interface CommandShell {
  /**
   * Runs a block in the chart's folder, up to the first command that fails; returns its result either way.
   *
   * @throws CheckFailure `E_DOCUMENTED_COMMAND` when it does not end within two minutes
   */
  run(commands: string, input: string): Promise<CommandResult>;
}

/**
 * Uses the run's helm and kubeconfig, the kubectl of this machine or of the cluster's node, and an empty home folder. Whatever the
 * commands leave is removed when the check ends.
 *
 * @throws CheckSkipped without any kubectl, or when the documented namespace exists already and so belongs to someone else
 */
export async function commandShell(
  lab: Lab,
  cluster: AttachedCluster,
  folder: string,
): Promise<CommandShell> {
  const { helmPath } = lab;
  const kubectl = await findProgram('kubectl', process.env['PATH']);
  if (kubectl === undefined && cluster.provider !== 'kind') {
    throw new CheckSkipped('the README uses kubectl, which is not on PATH');
  }
  if (helmPath === undefined) throw new InfrastructureError('E_NO_HELM', 'this run has no helm');
  await documentedNamespaceGone(cluster.kube);
  const before = new Set((await lab.helm.list(DEFAULT_NAMESPACE)).map(({ name }) => name));
  lab.defer('remove what the commands of README.md have left', async () => {
    for (const namespace of [DOCUMENTED_NAMESPACE, DEFAULT_NAMESPACE]) {
      for (const { name } of await lab.helm.list(namespace)) {
        if (namespace === DEFAULT_NAMESPACE && before.has(name)) continue;
        await lab.helm.uninstall({ releaseName: name, namespace, ignoreNotFound: true });
      }
    }
    await cluster.kube.teardown.delete('Namespace', { name: DOCUMENTED_NAMESPACE });
  });
  const home = await mkdtemp(join(lab.runDirectory, '.commands-'));
  lab.defer(`remove ${home}`, () => rm(home, { recursive: true, force: true }));
  await symlink(helmPath, join(home, 'helm'));
  if (kubectl === undefined) await writeFile(join(home, 'kubectl'), kubectlOfNode(cluster), { mode: 0o755 });
  else await symlink(kubectl, join(home, 'kubectl'));
  const env = {
    HOME: home,
    KUBECONFIG: cluster.kubeconfig,
    PATH: `${home}:${process.env['PATH'] ?? ''}`,
    HELM_KUBECONTEXT: cluster.context,
    HELM_CACHE_HOME: home,
    HELM_CONFIG_HOME: home,
    HELM_DATA_HOME: home,
  };
  const runner = createCommandRunner();
  return {
    run: (commands, input) =>
      runner
        .run('sh', ['-ec', commands], { cwd: folder, env, input, reject: false, timeoutMs: 120_000 })
        .catch((error: unknown) => {
          if (!(error instanceof CommandError)) throw error;
          // A reader of the document would wait as long.
          throw new CheckFailure('E_DOCUMENTED_COMMAND', error.message, { cause: error });
        }),
  };
}

/** A kubectl for machines without one: kind's node images contain kubectl of the cluster's version. */
function kubectlOfNode({ name }: AttachedCluster): string {
  const kubectl = `${name}-control-plane kubectl --kubeconfig /etc/kubernetes/admin.conf`;
  // With -i, docker would read input that is meant for a later command of the same block.
  return `#!/bin/sh
input=
for word; do
  case $word in
    --) break ;;
    -i | -it | -ti | --stdin | -) input=-i ;;
  esac
done
exec docker exec $input ${kubectl} "$@"
`;
}
