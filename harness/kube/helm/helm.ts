/** Helm over the real program. Its caches and settings are the run's own; nothing of the user's is read or changed. */
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { CommandResult, CommandRunner } from '../../core/command.ts';
import { InfrastructureError } from '../../core/errors.ts';
import type { Log } from '../../core/log.ts';
import { hookEvents } from '../manifests/objects.ts';
import { parseManifests } from '../manifests/parse.ts';
import {
  duration,
  postRendererArguments,
  renderArguments,
  sourceArguments,
  valueArguments,
} from './arguments.ts';
import type { Capabilities } from './capabilities.ts';
import { cleanMessage, helmFailure, type HelmFailureContext } from './failure.ts';
import { parseLint, parseTests } from './output.ts';
import { historyJson, listJson, parseOutput, releaseJson, valuesJson } from './schema.ts';
import type { ApplyOptions, ChartSource, Helm, ReleaseRef } from './types.ts';
import { validateSubject } from './validate-subject.ts';

export interface HelmDeps {
  run: CommandRunner;
  /** The helm program; version 3. */
  helmPath: string;
  /** Without it only what needs no cluster works. */
  kubeconfig?: string;
  context?: string;
  /** What charts are rendered and linted for; `clusterCapabilities(kube)`, or the version that is about to be started. */
  capabilities?: () => Promise<Capabilities> | Capabilities;
  /** Helm's homes and the files handed to it are kept here. */
  workDir: string;
  log: Log;
  signal: AbortSignal;
}

const POST_RENDERER = fileURLToPath(new URL('./post-render.mjs', import.meta.url));
const DEFAULT_TIMEOUT_MS = 120_000;
/** How much longer than helm's own limit the program may take: it cleans up and reports. */
const GRACE_MS = 30_000;

/** Helm for one cluster, or for none (`render`, `lint`, `validateSubject`, `version`). */
export function createHelm(deps: HelmDeps): Helm {
  const home = join(deps.workDir, 'helm');

  async function helm(
    args: readonly string[],
    context: HelmFailureContext & {
      tolerate?: (result: CommandResult) => boolean;
      cluster?: boolean;
      timeoutMs?: number;
      patches?: ChartSource['patches'];
      /** It takes something down, which an interruption must not keep from happening. */
      always?: boolean;
    },
  ): Promise<CommandResult> {
    await mkdir(home, { recursive: true });
    const all = context.cluster ? [...args, ...clusterArguments(deps)] : args;
    const result = await deps.run.run(deps.helmPath, all, {
      env: { ...environment(home, deps.kubeconfig), ...patchVariable(context.patches) },
      timeoutMs: (context.timeoutMs ?? DEFAULT_TIMEOUT_MS) + GRACE_MS,
      ...(context.always ? {} : { signal: deps.signal }),
      reject: false,
      hint: 'Run `npm run doctor` to see which helm is used.',
    });
    if (result.exitCode === 0 || context.tolerate?.(result)) return result;
    const failure = await helmFailure(result, context);
    deps.log.warn('helm failed', { what: context.what, code: failure.code, error: failure.message });
    throw failure;
  }

  async function apply(
    verb: 'install' | 'upgrade',
    source: ChartSource,
    options: ApplyOptions,
  ): Promise<CommandResult> {
    const timeoutMs = options.timeoutMs ?? DEFAULT_TIMEOUT_MS;
    return helm(
      [
        verb,
        ...sourceArguments(source),
        ...(verb === 'upgrade' ? ['--reset-values'] : []),
        ...patchArguments(source),
        ...(options.wait ? ['--wait', '--wait-for-jobs'] : []),
        ...(options.createNamespace && verb === 'install' ? ['--create-namespace'] : []),
        '--timeout',
        duration(timeoutMs),
        '--output',
        'json',
      ],
      {
        what: `${verb} ${source.releaseName}`,
        changes: true,
        subject: source,
        cluster: true,
        timeoutMs,
        patches: source.patches,
      },
    );
  }

  const self: Helm = {
    async version() {
      const { stdout } = await helm(['version', '--template', '{{.Version}}'], {
        what: 'tell its version',
        changes: false,
      });
      return stdout.trim();
    },

    async lint(subject) {
      const { kubeVersion } = (await deps.capabilities?.()) ?? {};
      const version = kubeVersion === undefined ? [] : ['--kube-version', kubeVersion];
      const result = await helm(['lint', subject.chart, ...version, ...valueArguments(subject)], {
        what: `lint ${subject.chart}`,
        changes: false,
        subject,
        tolerate: ({ stdout }) => stdout.includes('==> Linting'),
      });
      return { ok: result.exitCode === 0, messages: parseLint(result.stdout) };
    },

    async render(source, options = {}) {
      const { stdout } = await helm(
        [
          'template',
          ...sourceArguments(source),
          ...renderArguments({ ...(await deps.capabilities?.()), ...options }),
          ...patchArguments(source),
        ],
        { what: `render ${source.chart}`, changes: false, subject: source, patches: source.patches },
      );
      const manifests = parseManifests(stdout);
      const objects = manifests.map((manifest) => manifest.object);
      return { objects, hooks: objects.filter((o) => hookEvents(o).length > 0), manifests, text: stdout };
    },

    validateSubject: (subject) => validateSubject(self, subject),

    async install(source, options = {}) {
      return parseOutput(releaseJson, await apply('install', source, options));
    },

    async upgrade(source, options = {}) {
      return parseOutput(releaseJson, await apply('upgrade', source, options));
    },

    async rollback(release, options = {}) {
      const timeoutMs = options.timeoutMs ?? DEFAULT_TIMEOUT_MS;
      await helm(
        [
          'rollback',
          release.releaseName,
          ...(options.revision === undefined ? [] : [String(options.revision)]),
          ...namespaceArguments(release),
          ...(options.wait ? ['--wait', '--wait-for-jobs'] : []),
          '--timeout',
          duration(timeoutMs),
        ],
        { what: `roll back ${release.releaseName}`, changes: true, cluster: true, timeoutMs },
      );
      const info = await self.status(release);
      if (info) return info;
      throw new InfrastructureError(
        'E_RELEASE_STATE',
        `release ${release.releaseName} is gone after its rollback`,
      );
    },

    async test(release, { timeoutMs = DEFAULT_TIMEOUT_MS } = {}) {
      const result = await helm(
        [
          'test',
          release.releaseName,
          ...namespaceArguments(release),
          '--logs',
          '--timeout',
          duration(timeoutMs),
        ],
        {
          what: `test ${release.releaseName}`,
          changes: false,
          cluster: true,
          timeoutMs,
          // The suites' results are printed once the tests have been started.
          tolerate: ({ stdout }) => stdout.includes('TEST SUITE:'),
        },
      );
      const output = [result.stdout.trim(), result.exitCode === 0 ? '' : cleanMessage(result.stderr)].filter(
        (t) => t !== '',
      );
      const tests = parseTests(result.stdout);
      return { ok: result.exitCode === 0 && tests.length > 0, tests, output: output.join('\n') };
    },

    async uninstall({ timeoutMs = DEFAULT_TIMEOUT_MS, ...release }) {
      await helm(
        [
          'uninstall',
          release.releaseName,
          ...namespaceArguments(release),
          ...(release.ignoreNotFound ? ['--ignore-not-found'] : []),
          ...(release.wait ? ['--wait'] : []),
          ...(release.keepHistory ? ['--keep-history'] : []),
          '--timeout',
          duration(timeoutMs),
        ],
        { what: `uninstall ${release.releaseName}`, changes: true, cluster: true, always: true, timeoutMs },
      );
    },

    async status(release, revision) {
      const result = await helm(
        [
          'status',
          release.releaseName,
          ...namespaceArguments(release),
          ...revisionArguments(revision),
          '--output',
          'json',
        ],
        {
          what: `tell the status of ${release.releaseName}`,
          changes: false,
          cluster: true,
          tolerate: isNotFound,
        },
      );
      return result.exitCode === 0 ? parseOutput(releaseJson, result) : undefined;
    },

    async list(namespace) {
      const scope = namespace === undefined ? ['--all-namespaces'] : ['--namespace', namespace];
      const result = await helm(['list', '--all', '--max', '0', ...scope, '--output', 'json'], {
        what: 'list releases',
        changes: false,
        cluster: true,
      });
      return parseOutput(listJson, result);
    },

    async getManifest(release, revision) {
      const { stdout } = await helm(
        [
          'get',
          'manifest',
          release.releaseName,
          ...namespaceArguments(release),
          ...revisionArguments(revision),
        ],
        { what: `read the manifest of ${release.releaseName}`, changes: false, cluster: true },
      );
      return parseManifests(stdout).map((manifest) => manifest.object);
    },

    async getValues(release, { all = false, revision } = {}) {
      const result = await helm(
        [
          'get',
          'values',
          release.releaseName,
          ...namespaceArguments(release),
          ...revisionArguments(revision),
          ...(all ? ['--all'] : []),
          '--output',
          'json',
        ],
        { what: `read the values of ${release.releaseName}`, changes: false, cluster: true },
      );
      return parseOutput(valuesJson, result);
    },

    async history(release) {
      const result = await helm(
        ['history', release.releaseName, ...namespaceArguments(release), '--max', '1000', '--output', 'json'],
        { what: `tell the history of ${release.releaseName}`, changes: false, cluster: true },
      );
      return parseOutput(historyJson, result);
    },
  };
  return self;
}

function patchArguments({ patches = [] }: ChartSource): string[] {
  return patches.length === 0 ? [] : postRendererArguments(process.execPath, [POST_RENDERER]);
}

/** By a variable and not by a file: patches may carry credentials, and files of the run are kept. */
function patchVariable(patches: ChartSource['patches'] = []): Record<string, string> {
  return patches.length === 0 ? {} : { KINDPROOF_PATCHES: JSON.stringify(patches) };
}

function namespaceArguments({ namespace }: ReleaseRef): string[] {
  return ['--namespace', namespace];
}

function revisionArguments(revision: number | undefined): string[] {
  return revision === undefined ? [] : ['--revision', String(revision)];
}

function clusterArguments({ kubeconfig, context }: HelmDeps): string[] {
  if (kubeconfig === undefined) {
    throw new InfrastructureError(
      'E_NO_CLUSTER',
      'helm was asked for something that needs a cluster before there was one',
    );
  }
  return ['--kubeconfig', kubeconfig, ...(context === undefined ? [] : ['--kube-context', context])];
}

/** Variables such as HELM_NAMESPACE or HELM_KUBECONTEXT of the user's shell would change what is installed where. */
function environment(home: string, kubeconfig: string | undefined): Record<string, string | undefined> {
  const inherited = Object.keys(process.env).filter((name) => name.startsWith('HELM_'));
  return {
    ...Object.fromEntries(inherited.map((name) => [name, undefined])),
    HELM_CACHE_HOME: join(home, 'cache'),
    HELM_CONFIG_HOME: join(home, 'config'),
    HELM_DATA_HOME: join(home, 'data'),
    KUBECONFIG: kubeconfig ?? join(home, 'no-kubeconfig'),
  };
}

function isNotFound({ stderr }: CommandResult): boolean {
  return stderr.includes('release: not found');
}
