/** The programs that the commands of a document start, on the cluster of the run only. */
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { parse } from 'yaml';
import { z } from 'zod';
import { CommandError, createCommandRunner, type CommandRunner } from '../../../harness/core/command.ts';
import { CheckFailure, InfrastructureError } from '../../../harness/core/errors.ts';
import { findProgram } from '../../../harness/host/tools/find-program.ts';
import { deleteNamespace } from '../../../harness/kube/api/namespace-end.ts';
import type { AttachedCluster } from '../../../harness/run/suite/attached-cluster.ts';
import { CheckSkipped } from '../../../harness/run/suite/check.ts';
import type { Lab } from '../../../harness/run/suite/lab.ts';
import { DEFAULT_NAMESPACE } from './allowed-commands.ts';
import { CommandNotRun } from './command-not-run.ts';
import { CommandSession, type StartProgram } from './command-session.ts';
import { DOCUMENTED_NAMESPACE, reserveDocumentedNamespace } from './documented-namespace.ts';

/** For one command. A reader of the document would not wait longer. */
const COMMAND_MS = 120_000;

export interface ProgramsOptions {
  runner: CommandRunner;
  /** Absolute paths. Without a kubectl on this machine, the one on the control plane is used, as in kind's node images. */
  helm: string;
  kubectl: string | undefined;
  cluster: Pick<AttachedCluster, 'kubeconfig' | 'context' | 'nodes' | 'describe'>;
  /** An empty folder. */
  home: string;
  /** The chart's folder. */
  folder: string;
}

/**
 * Starts kubectl and helm with argument vectors and without the environment of this process: its variables choose other clusters, plugins
 * and programs.
 *
 * @throws CheckFailure `E_DOCUMENTED_COMMAND` when a command does not end within two minutes
 */
export function documentedPrograms(options: ProgramsOptions): StartProgram {
  const { runner, helm, kubectl, cluster, home, folder } = options;
  const env = {
    ...Object.fromEntries(Object.keys(process.env).map((name) => [name, undefined])),
    HOME: home,
    // Does not exist: no program that a command names is found there, a plugin included.
    PATH: join(home, 'bin'),
    KUBECONFIG: cluster.kubeconfig,
    HELM_KUBECONTEXT: cluster.context,
    HELM_CACHE_HOME: home,
    HELM_CONFIG_HOME: home,
    HELM_DATA_HOME: home,
    HELM_PLUGINS: join(home, 'plugins'),
  };
  return async (program, args, { input, readsFiles }) => {
    const limits = { ...(input === undefined ? {} : { input }), reject: false, timeoutMs: COMMAND_MS };
    const file = program === 'helm' ? helm : kubectl;
    try {
      if (file !== undefined) return await runner.run(file, args, { ...limits, cwd: folder, env });
      if (readsFiles) {
        throw new CommandNotRun(
          [program, ...args].join(' '),
          'this machine has no kubectl on PATH, and that of the node cannot read its files',
        );
      }
      const node = (await cluster.describe()).find(({ role }) => role === 'control-plane');
      if (!node || !cluster.nodes) {
        throw new InfrastructureError(
          'E_NO_NODE',
          'there is neither a kubectl on PATH nor a node that has one',
        );
      }
      const command = ['kubectl', '--kubeconfig', '/etc/kubernetes/admin.conf', ...args];
      return await cluster.nodes.run(node.name, command, limits);
    } catch (error) {
      if (!(error instanceof CommandError) || error.result.durationMs < COMMAND_MS) throw error;
      throw new CheckFailure('E_DOCUMENTED_COMMAND', error.message, { cause: error });
    }
  };
}

/**
 * A session with the run's helm and kubeconfig, the kubectl of this machine or of the cluster's node, and an empty home folder. Whatever
 * the commands leave is removed when the check ends.
 *
 * @param options.terminal what is typed into a command that reads from the terminal
 * @throws CheckSkipped without any kubectl, when the documented namespace exists already and so belongs to someone else, or when the
 *   cluster's credentials come from a program of this machine, which needs the user's environment
 */
export async function commandSession(
  lab: Pick<Lab, 'helm' | 'helmPath' | 'runDirectory' | 'defer'>,
  cluster: ProgramsOptions['cluster'] & Pick<AttachedCluster, 'kube' | 'provider'>,
  { folder, terminal }: { folder: string; terminal: string },
): Promise<CommandSession> {
  const { helmPath } = lab;
  const kubectl = await findProgram('kubectl', process.env['PATH']);
  if (kubectl === undefined && cluster.provider !== 'kind') {
    throw new CheckSkipped('the README uses kubectl, which is not on PATH');
  }
  if (helmPath === undefined) throw new InfrastructureError('E_NO_HELM', 'this run has no helm');
  if (await credentialsFromProgram(cluster.kubeconfig)) {
    throw new CheckSkipped(
      'the kubeconfig gets its credentials from a program, and documented commands run without your environment',
    );
  }
  await reserveDocumentedNamespace(lab, cluster.kube);
  const foreign = new Set((await lab.helm.list(DEFAULT_NAMESPACE)).map(({ name }) => name));
  lab.defer('remove what the commands of README.md have left', async () => {
    for (const namespace of [DOCUMENTED_NAMESPACE, DEFAULT_NAMESPACE]) {
      for (const { name } of await lab.helm.list(namespace)) {
        if (namespace === DEFAULT_NAMESPACE && foreign.has(name)) continue;
        await lab.helm.uninstall({ releaseName: name, namespace, ignoreNotFound: true });
      }
    }
    await deleteNamespace(cluster.kube.teardown, DOCUMENTED_NAMESPACE);
  });
  const home = await mkdtemp(join(lab.runDirectory, '.commands-'));
  lab.defer(`remove ${home}`, () => rm(home, { recursive: true, force: true }));
  const runner = createCommandRunner();
  const start = documentedPrograms({ runner, helm: helmPath, kubectl, cluster, home, folder });
  return new CommandSession({ folder, terminal, start, foreign });
}

const userSchema = z.looseObject({ exec: z.unknown().optional(), 'auth-provider': z.unknown().optional() });
const usersSchema = z.looseObject({
  users: z.array(z.looseObject({ user: userSchema.nullish() })).nullish(),
});

async function credentialsFromProgram(kubeconfig: string): Promise<boolean> {
  const { users } = usersSchema.parse(parse(await readFile(kubeconfig, 'utf8')));
  return (users ?? []).some(({ user }) => Boolean(user?.exec ?? user?.['auth-provider']));
}
