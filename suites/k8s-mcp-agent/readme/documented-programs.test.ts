import { chmod, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it, vi } from 'vitest';
import { stringify } from 'yaml';
import { CommandError, createCommandRunner, type CommandResult } from '../../../harness/core/command.ts';
import { CheckFailure } from '../../../harness/core/errors.ts';
import type { KubeClient } from '../../../harness/kube/api/client.ts';
import type { Helm } from '../../../harness/kube/helm/types.ts';
import type { ClusterNode } from '../../../harness/kube/cluster/cluster.ts';
import { temporaryFolder } from '../../../harness/testing/temporary-folder.ts';
import { CommandNotRun } from './command-not-run.ts';
import { commandSession, documentedPrograms, type ProgramsOptions } from './documented-programs.ts';

const RESULT: CommandResult = { command: '', exitCode: 0, stdout: '', stderr: '', durationMs: 1 };
const NO_INPUT = { input: undefined, readsFiles: false };

interface Programs {
  start: ReturnType<typeof documentedPrograms>;
  /** What was run on this machine, and on a node. */
  here: { file: string; args: readonly string[]; options: unknown }[];
  there: { node: string; command: readonly string[]; options: unknown }[];
}

function programs(options: Partial<ProgramsOptions> = {}): Programs {
  const here: Programs['here'] = [];
  const there: Programs['there'] = [];
  const start = documentedPrograms({
    runner: {
      run: (file, args, how) => {
        here.push({ file, args, options: how });
        return Promise.resolve(RESULT);
      },
    },
    helm: '/tools/helm',
    kubectl: '/tools/kubectl',
    cluster: {
      kubeconfig: '/run/kubeconfig',
      context: 'kind-a',
      describe: () =>
        Promise.resolve([
          { name: 'a-worker', role: 'worker' } as ClusterNode,
          { name: 'a-control-plane', role: 'control-plane' } as ClusterNode,
        ]),
      nodes: {
        run: (node, command, how) => {
          there.push({ node, command, options: how });
          return Promise.resolve(RESULT);
        },
      },
    },
    home: '/run/home',
    folder: '/charts/a',
    ...options,
  });
  return { start, here, there };
}

describe('a program that a document starts', () => {
  it.each(['helm', 'kubectl'] as const)(
    'is the %s of the run, with exactly its arguments',
    async (program) => {
      const { start, here } = programs();
      await start(program, ['get', 'a b', '$(c)'], { input: 'typed', readsFiles: true });
      expect(here).toMatchObject([
        {
          file: `/tools/${program}`,
          args: ['get', 'a b', '$(c)'],
          options: { cwd: '/charts/a', input: 'typed' },
        },
      ]);
    },
  );

  it("sees nothing of the user's environment", async () => {
    vi.stubEnv('KUBECTL_EXTERNAL_DIFF', 'evil');
    vi.stubEnv('HELM_PLUGINS', '/home/me/plugins');
    const home = await temporaryFolder();
    const helm = join(home, 'fake-helm');
    await writeFile(helm, '#!/bin/sh\n/usr/bin/env\n');
    await chmod(helm, 0o755);
    const { start } = programs({ runner: createCommandRunner(), helm, home, folder: home });
    const { stdout } = await start('helm', [], NO_INPUT);
    vi.unstubAllEnvs();
    const environment = stdout
      .trim()
      .split('\n')
      .filter((line) => !/^(PWD|OLDPWD|SHLVL|_)=/.test(line));
    expect(environment.toSorted()).toEqual([
      `HELM_CACHE_HOME=${home}`,
      `HELM_CONFIG_HOME=${home}`,
      `HELM_DATA_HOME=${home}`,
      'HELM_KUBECONTEXT=kind-a',
      `HELM_PLUGINS=${home}/plugins`,
      `HOME=${home}`,
      'KUBECONFIG=/run/kubeconfig',
      `PATH=${home}/bin`,
    ]);
  });

  it('is the kubectl of the control plane on a machine without one', async () => {
    const { start, here, there } = programs({ kubectl: undefined });
    await start('kubectl', ['get', 'pods'], NO_INPUT);
    await start('kubectl', ['exec', '-i', 'a'], { input: 'typed', readsFiles: false });
    expect(here).toEqual([]);
    const kubectl = ['kubectl', '--kubeconfig', '/etc/kubernetes/admin.conf'];
    expect(there).toMatchObject([
      { node: 'a-control-plane', command: [...kubectl, 'get', 'pods'] },
      { node: 'a-control-plane', command: [...kubectl, 'exec', '-i', 'a'], options: { input: 'typed' } },
    ]);
    // With an input, docker would keep it open for a command that reads none.
    expect(there[0]?.options).not.toHaveProperty('input');
  });

  it('reads no files on the control plane', async () => {
    const { start, there } = programs({ kubectl: undefined });
    const call = start('kubectl', ['apply', '-f', 'a.yaml'], { input: undefined, readsFiles: true });
    await expect(call).rejects.toThrow(CommandNotRun);
    expect(there).toEqual([]);
  });

  it.each([
    ['ends too late', 120_000, CheckFailure],
    ['cannot start', 3, CommandError],
  ])('that %s is reported as such', async (_how, durationMs, kind) => {
    const error = new CommandError({ ...RESULT, exitCode: -1, durationMs }, 'failed');
    const { start } = programs({ runner: { run: () => Promise.reject(error) } });
    await expect(start('helm', ['list'], NO_INPUT)).rejects.toBeInstanceOf(kind);
  });
});

describe('the session of a document', () => {
  const kubeconfigOf = (user: Record<string, unknown>): string =>
    stringify({ apiVersion: 'v1', kind: 'Config', users: [{ name: 'me', user }] });

  async function session(
    kubeconfig: string,
  ): Promise<{ runDirectory: string; undo: (() => Promise<void>)[] }> {
    const runDirectory = await temporaryFolder();
    const file = join(runDirectory, 'kubeconfig');
    await writeFile(file, kubeconfig);
    const undo: (() => Promise<void>)[] = [];
    const lab = {
      helmPath: '/tools/helm',
      helm: { list: () => Promise.resolve([]) } as Partial<Helm> as Helm,
      runDirectory,
      defer: (_: string, action: () => Promise<void>) => void undo.unshift(action),
    };
    const kube = {
      get: () => Promise.resolve(undefined),
      teardown: { delete: () => Promise.resolve(), list: () => Promise.resolve([]) },
    } as unknown as KubeClient;
    const cluster = {
      provider: 'kind' as const,
      kubeconfig: file,
      context: 'a',
      kube,
      describe: () => Promise.resolve([]),
    };
    await commandSession(lab, cluster, { folder: runDirectory, terminal: '' });
    return { runDirectory, undo };
  }

  it('works with the kubeconfig that kind writes, and removes its home', async () => {
    const { runDirectory, undo } = await session(
      kubeconfigOf({ 'client-certificate-data': 'YQ==', 'client-key-data': 'YQ==' }),
    );
    expect(await readdir(runDirectory)).toHaveLength(2);
    for (const action of undo) await action();
    expect(await readdir(runDirectory)).toEqual(['kubeconfig']);
  });

  it.each([{ exec: { command: 'aws' } }, { 'auth-provider': { name: 'gcp' } }])(
    'does not apply to a cluster with credentials from a program: %j',
    async (user) => {
      await expect(session(kubeconfigOf(user))).rejects.toThrow(
        /^the kubeconfig gets its credentials from a program/,
      );
    },
  );
});
