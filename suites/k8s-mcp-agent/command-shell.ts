/** A shell in which commands of a document run as their reader would type them, on the cluster of the run and nowhere else. */
import { mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { CommandError, createCommandRunner, type CommandResult } from '../../harness/core/command.ts';
import { CheckFailure, InfrastructureError } from '../../harness/core/errors.ts';
import type { AttachedCluster } from '../../harness/run/suite/attached-cluster.ts';
import { CheckSkipped } from '../../harness/run/suite/check.ts';
import type { Lab } from '../../harness/run/suite/lab.ts';
import { findProgram } from '../../harness/host/tools/find-program.ts';
import { DOCUMENTED_NAMESPACE, documentedNamespaceGone } from './documented-namespace.ts';

/** Where a release is recorded whose commands name no other namespace. */
const DEFAULT_NAMESPACE = 'default';

export interface CommandShell {
  /**
   * Runs a block in the chart's folder; the first command that fails ends it. Returns also when it fails.
   *
   * @throws CheckFailure `E_DOCUMENTED_COMMAND` when it does not end within two minutes
   */
  run(commands: string, input: string): Promise<CommandResult>;
}

/**
 * `helm` is that of the run, `kubectl` the machine's own or that of the cluster's node, the kubeconfig that of the run, and the home an
 * empty folder. Whatever the commands leave is removed when the check ends.
 *
 * @throws CheckSkipped where there is no kubectl at all, or the documented namespace is there already, and so belongs to somebody
 */
export async function commandShell(
  lab: Lab,
  cluster: AttachedCluster,
  folder: string,
): Promise<CommandShell> {
  const { helmPath } = lab;
  const kubectl = await findProgram('kubectl', process.env['PATH']);
  if (kubectl === undefined && cluster.provider !== 'kind') {
    throw new CheckSkipped('the README uses kubectl, and there is none on PATH');
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
    await cluster.kube.delete('Namespace', { name: DOCUMENTED_NAMESPACE });
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
          // Whoever follows the document would sit in front of it as long.
          throw new CheckFailure('E_DOCUMENTED_COMMAND', error.message, { cause: error });
        }),
  };
}

/** A real kubectl where the machine has none: every node image of kind brings one along, of the cluster's own version. */
function kubectlOfNode({ name }: AttachedCluster): string {
  const kubectl = `${name}-control-plane kubectl --kubeconfig /etc/kubernetes/admin.conf`;
  // With -i the engine reads input that was meant for a later command of the same block.
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
