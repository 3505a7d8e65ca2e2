/**
 * Runs the helm program. Its caches and settings belong to the run; those of the user are neither read nor changed. Only `pull` reads the
 * credentials of `helm registry login`.
 */
import { access, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { CommandResult, CommandRunner } from '../../core/command.ts';
import { systemClock, type Clock } from '../../core/deadline.ts';
import { InfrastructureError } from '../../core/errors.ts';
import type { Log } from '../../core/log.ts';
import { makePrivateFolder } from '../../core/private-files.ts';
import type { KubeObject } from '../api/types.ts';
import { hookEvents } from '../manifests/objects.ts';
import { parseManifests } from '../manifests/parse.ts';
import { patchObjects } from '../manifests/patch.ts';
import {
  capabilityArguments,
  duration,
  postRendererArguments,
  sourceArguments,
  valueArguments,
} from './arguments.ts';
import { cleanMessage, helmFailure, lackOfOperator, type HelmFailureContext } from './failure.ts';
import type { HelmCapabilities } from './helm-capabilities.ts';
import { parseLint } from './output.ts';
import { isTransient, parsePulled, pullArguments, pullFailure, registryConfig } from './published-chart.ts';
import { historyJson, listJson, parseOutput, releaseJson, valuesJson } from './schema.ts';
import type { ApplyOptions, ChartSource, Helm, ReleaseRef } from './types.ts';
import { validateSubject } from './validate-subject.ts';

export interface HelmDeps {
  run: CommandRunner;
  /** Path of helm 3. */
  helmPath: string;
  /** Without it, only operations that need no cluster work. */
  kubeconfig?: string;
  context?: string;
  /** For render and lint: `helmCapabilities(kube)`, or the version of the cluster that will be created. */
  capabilities?: () => Promise<HelmCapabilities> | HelmCapabilities;
  /** Folder for helm's cache, config and data. */
  workDir: string;
  log: Log;
  signal: AbortSignal;
  clock?: Clock;
}

const POST_RENDERER = fileURLToPath(new URL('./post-render.mjs', import.meta.url));
const DEFAULT_TIMEOUT_MS = 120_000;
/** Added to helm's own limit, for its cleanup and report. */
const GRACE_MS = 30_000;
const PULL_MS = 300_000;
/** Pauses before the second and third attempt, longer than those of helm itself. */
const PULL_PAUSES_MS = [3000, 10_000];

/** Helm for one cluster. `render`, `lint` and `validateSubject` also work without a cluster. */
export function createHelm(deps: HelmDeps): Helm {
  const home = join(deps.workDir, 'helm');

  async function helm(
    args: readonly string[],
    context: HelmFailureContext & {
      tolerate?: (result: CommandResult) => boolean;
      cluster?: boolean;
      timeoutMs?: number;
      patches?: ChartSource['patches'];
      /** Runs even after an interruption, for teardown. */
      always?: boolean;
    },
  ): Promise<CommandResult> {
    await makePrivateFolder(home);
    const all = context.cluster ? [...args, ...clusterArguments(deps)] : args;
    const result = await deps.run.run(deps.helmPath, all, {
      env: { ...environment(home, deps.kubeconfig), ...patchVariable(context.patches) },
      timeoutMs: (context.timeoutMs ?? DEFAULT_TIMEOUT_MS) + GRACE_MS,
      ...(context.always ? {} : { signal: deps.signal }),
      reject: false,
      hint: 'Run `npm run doctor` to see which helm program is used.',
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

    async render(source) {
      const { stdout } = await helm(
        ['template', ...sourceArguments(source), ...capabilityArguments((await deps.capabilities?.()) ?? {})],
        { what: `render ${source.chart}`, changes: false, subject: source },
      );
      const objects = parseManifests(stdout).map((manifest) => manifest.object);
      return { objects: patchRendered(objects, source.patches) };
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
        `release ${release.releaseName} does not exist after its rollback`,
      );
    },

    async uninstall({ timeoutMs = DEFAULT_TIMEOUT_MS, ...release }) {
      await helm(
        [
          'uninstall',
          release.releaseName,
          ...namespaceArguments(release),
          ...(release.ignoreNotFound ? ['--ignore-not-found'] : []),
          ...(release.wait ? ['--wait'] : []),
          '--timeout',
          duration(timeoutMs),
        ],
        { what: `uninstall ${release.releaseName}`, changes: true, cluster: true, always: true, timeoutMs },
      );
    },

    async test(release, { timeoutMs = DEFAULT_TIMEOUT_MS } = {}) {
      const result = await helm(
        ['test', release.releaseName, ...namespaceArguments(release), '--timeout', duration(timeoutMs)],
        {
          what: `test ${release.releaseName}`,
          changes: true,
          cluster: true,
          timeoutMs,
          // The tests have run: whatever they say is their result.
          tolerate: ({ stdout }) => /^TEST SUITE: /m.test(stdout),
        },
      );
      if (result.exitCode === 0) return undefined;
      const message = cleanMessage(result.stderr);
      const lack = lackOfOperator(message, { what: `test ${release.releaseName}` });
      if (lack) throw lack;
      return message;
    },

    async status(release) {
      const result = await helm(
        ['status', release.releaseName, ...namespaceArguments(release), '--output', 'json'],
        {
          what: `read the status of ${release.releaseName}`,
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

    async getManifest(release) {
      const { stdout } = await helm(
        ['get', 'manifest', release.releaseName, ...namespaceArguments(release)],
        { what: `read the manifest of ${release.releaseName}`, changes: false, cluster: true },
      );
      return parseManifests(stdout).map((manifest) => manifest.object);
    },

    async getValues(release, { all = false } = {}) {
      const result = await helm(
        [
          'get',
          'values',
          release.releaseName,
          ...namespaceArguments(release),
          ...(all ? ['--all'] : []),
          '--output',
          'json',
        ],
        { what: `read the values of ${release.releaseName}`, changes: false, cluster: true },
      );
      return parseOutput(valuesJson, result);
    },

    async definitions(chart) {
      const { stdout } = await helm(['show', 'crds', chart], {
        what: `read the CustomResourceDefinitions of ${chart}`,
        changes: false,
        always: true,
      });
      return parseManifests(stdout).map(({ object }) => object.metadata.name);
    },

    async history(release) {
      const result = await helm(
        ['history', release.releaseName, ...namespaceArguments(release), '--max', '1000', '--output', 'json'],
        { what: `read the history of ${release.releaseName}`, changes: false, cluster: true },
      );
      return parseOutput(historyJson, result);
    },

    async pull(reference, version, folder) {
      await makePrivateFolder(folder);
      const config = registryConfig(process.env);
      const hasConfig = await access(config).then(
        () => true,
        () => false,
      );
      const args = [
        ...pullArguments(reference, version, folder),
        ...(hasConfig ? ['--registry-config', config] : []),
      ];
      const what = `pull ${reference}`;
      for (let attempt = 0; ; attempt++) {
        const result = await helm(args, {
          what,
          changes: false,
          timeoutMs: PULL_MS,
          tolerate: () => true,
        });
        if (result.exitCode === 0) {
          const [file] = await readdir(folder);
          if (file === undefined) throw new InfrastructureError('E_HELM', `helm did not ${what}`);
          return { file: join(folder, file), published: parsePulled(reference, result) };
        }
        const pauseMs = PULL_PAUSES_MS[attempt];
        if (pauseMs === undefined || !isTransient(result)) throw pullFailure(reference, version, result);
        deps.log.warn('chart not pulled', { reference, attempt, error: result.stderr.slice(-500) });
        await (deps.clock ?? systemClock).sleep(pauseMs, deps.signal);
      }
    },
  };
  return self;
}

/** As helm does with a post-renderer, which gets no hooks. Here, no process has to be started for it. */
function patchRendered(objects: KubeObject[], patches: ChartSource['patches'] = []): KubeObject[] {
  if (patches.length === 0) return objects;
  const isHook = (object: KubeObject): boolean => hookEvents(object).length > 0;
  const patched = patchObjects(
    objects.filter((object) => !isHook(object)),
    patches,
  );
  return objects.map((object) => (isHook(object) ? object : (patched.shift() ?? object)));
}

function patchArguments({ patches = [] }: ChartSource): string[] {
  return patches.length === 0 ? [] : postRendererArguments(process.execPath, [POST_RENDERER]);
}

/** Passed in a variable, not a file: patches may contain credentials, and files of the run are kept. */
function patchVariable(patches: ChartSource['patches'] = []): Record<string, string> {
  return patches.length === 0 ? {} : { KINDPROOF_PATCHES: JSON.stringify(patches) };
}

function namespaceArguments({ namespace }: ReleaseRef): string[] {
  return ['--namespace', namespace];
}

function clusterArguments({ kubeconfig, context }: HelmDeps): string[] {
  if (kubeconfig === undefined) {
    throw new InfrastructureError('E_NO_CLUSTER', 'this helm operation needs a cluster, and none exists yet');
  }
  return ['--kubeconfig', kubeconfig, ...(context === undefined ? [] : ['--kube-context', context])];
}

/** Removes HELM_NAMESPACE, HELM_KUBECONTEXT and the like of the user's shell: they would redirect the installation. */
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
