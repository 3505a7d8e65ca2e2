/** Puts a run together: the ports of harness/runner, filled in from clusters/, fixtures/ and suites/. */
import { join } from 'node:path';
import { existingProvider } from '../../clusters/existing/existing-provider.ts';
import { kindProvider } from '../../clusters/kind/kind-provider.ts';
import { findLeftovers, summariseLeftovers } from '../../clusters/leftovers.ts';
import { ensureNodeImage } from '../../clusters/node-image/node-image.ts';
import { readRecipe } from '../../clusters/node-image/recipe.ts';
import { deleteRunNamespaces } from '../../clusters/run-namespaces.ts';
import type { RunLock } from '../../clusters/run-lock.ts';
import { mergeTopologies } from '../../clusters/topology.ts';
import { busyboxImage } from '../../fixtures/images/build.ts';
import { createCommandRunner } from '../../harness/core/command.ts';
import { createKubeClient } from '../../harness/kube/api/http-client.ts';
import { systemClock } from '../../harness/core/deadline.ts';
import { InfrastructureError, UsageError } from '../../harness/core/errors.ts';
import type { RunOptions } from '../../harness/run/plan/options.ts';
import type { Cluster } from '../../harness/kube/cluster/cluster.ts';
import type { RunPlan } from '../../harness/run/plan/plan.ts';
import { RUN_LABEL } from '../../harness/core/run-id.ts';
import { SERVICE_LABEL } from '../../harness/run/suite/environment.ts';
import { sentenceOf } from '../../harness/host/preflight/finding.ts';
import { localMachine } from '../../harness/host/preflight/machine.ts';
import { runPreflight } from '../../harness/host/preflight/preflight.ts';
import type { RunObserver } from '../../harness/run/report/events.ts';
import type { RunPorts, StepDeps, ToolPaths } from '../../harness/run/runner/ports.ts';
import { resolveTool } from '../../harness/host/tools/resolve-tool.ts';
import { askYesNo } from '../ask.ts';
import { hasNodeImage } from '../has-node-image.ts';
import { cacheDirectory, projectRoot, runsDirectory } from '../project.ts';
import { listRequirements } from './requirements.ts';

/**
 * The cluster of --keep and --reuse: one a machine, so that the next run finds it. Who works on two things at once names another,
 * `KINDPROOF_DESK=gpu`: `kp-desk-gpu`.
 *
 * @throws UsageError when the name cannot be that of a cluster
 */
export function deskCluster(env: NodeJS.ProcessEnv): string {
  const desk = env['KINDPROOF_DESK'] ?? '';
  if (desk === '') return 'kp-desk';
  if (/^[a-z0-9]([a-z0-9-]{0,18}[a-z0-9])?$/.test(desk)) return `kp-desk-${desk}`;
  throw new UsageError('E_OPTION', `KINDPROOF_DESK is "${desk}", which cannot be part of a cluster's name`, {
    hint: 'Use at most 20 small letters, digits and dashes.',
  });
}

export function createPorts(deps: {
  options: RunOptions;
  plan: RunPlan;
  observers: readonly RunObserver[];
  commandLine: string;
  lock: RunLock;
}): RunPorts {
  const { options, plan, observers, commandLine, lock } = deps;
  const topology = mergeTopologies(plan.suites.map((s) => s.definition.topology));
  const registry = { runsDir: runsDirectory };
  return {
    projectRoot,
    observers,
    commandLine,
    probeImages: [busyboxImage],
    checksFile: join(projectRoot, 'suites', 'checks.e2e.ts'),
    proveFile: join(projectRoot, 'suites', 'prove.e2e.ts'),

    async preflight(step, notice) {
      const findings = await runPreflight(
        {
          run: step.run,
          log: step.log,
          clock: systemClock,
          machine: localMachine(),
          env: process.env,
          projectDir: projectRoot,
          cacheDir: cacheDirectory,
          onProgress: step.onProgress,
          confirm: (question) => askYesNo(question, step.signal),
          leftovers: async () =>
            summariseLeftovers(await findLeftovers({ run: step.run, registry, now: () => Date.now() })),
          signal: step.signal,
        },
        {
          fix: true,
          interactive: process.stdin.isTTY,
          need: {
            cluster: options.cluster,
            nodes: 1 + topology.groups.reduce((sum, group) => sum + group.count, 0),
            buildNodeImage: !(await hasNodeImage(step.run)),
            buildImages: true,
            // The next phase resolves them, and shows what it does meanwhile.
            tools: [],
          },
        },
      );
      for (const finding of findings) {
        if (finding.status === 'warning') notice(`${sentenceOf(finding)} ${finding.why}`, finding.remedy);
        if (finding.status === 'fixed') notice(`${finding.title}: put right (${finding.found})`);
      }
      const problems = findings.filter((f) => f.status === 'problem');
      if (problems.length > 0) {
        throw new InfrastructureError(
          'E_PREFLIGHT',
          problems.map((p) => `${sentenceOf(p)} ${p.why}`).join('\n'),
          { hint: problems.map((p) => p.remedy).join('\n') },
        );
      }
    },

    async tools(step): Promise<ToolPaths> {
      const resolve = (name: 'kind' | 'helm'): ReturnType<typeof resolveTool> =>
        resolveTool(name, {
          run: step.run,
          log: step.log,
          cacheDir: cacheDirectory,
          env: process.env,
          onProgress: step.onProgress,
          signal: step.signal,
        });
      const helm = await resolve('helm');
      const kind = options.cluster === 'kind' ? await resolve('kind') : undefined;
      const engine = await step.run.run('docker', ['version', '--format', '{{.Server.Version}}']);
      return {
        helm: helm.path,
        ...(kind ? { kind: kind.path } : {}),
        versions: {
          node: process.version,
          helm: helm.version,
          ...(kind ? { kind: kind.version } : {}),
          docker: engine.stdout.trim(),
        },
      };
    },

    async kubernetesVersion() {
      if (options.cluster === 'existing') return undefined;
      return options.kubernetes ?? (await readRecipe()).versions.kubernetes;
    },

    async openCluster(step, _options, _plan, tools): Promise<Cluster> {
      const kubeconfig = join(step.runDirectory, 'kubeconfig');
      if (options.cluster === 'existing') {
        const { kubeconfig: source, context } = options;
        const cluster = await existingProvider({
          kubeconfig: source,
          context,
          log: step.log,
          signal: step.signal,
        }).attach({
          kubeconfig,
          onNotice: step.onProgress,
        });
        removeNamespaces(step, cluster);
        return cluster;
      }
      // Not bound to the run's signal: what is half made has to be removed after an interruption.
      const run = createCommandRunner({ log: step.log });
      const image = await ensureNodeImage(
        { run, signal: step.signal },
        { kubernetes: options.kubernetes, onProgress: step.onProgress },
      );
      const provider = kindProvider({
        run,
        kindPath: tools.kind ?? 'kind',
        nodeImage: image,
        log: step.log,
        signal: step.signal,
      });
      const stays = options.keep || options.reuse;
      const name = stays ? deskCluster(process.env) : `kp-${plan.runId}`;
      await lock.useCluster(name);
      const undo = step.lifecycle.defer(`delete cluster ${name}`, async () => {
        await provider.delete(name, kubeconfig);
      });
      const cluster = await provider.create({
        name,
        topology,
        kubeconfig,
        runId: plan.runId,
        keep: stays,
        // A desk cluster that does not fit, or that a run without --reuse finds, is made anew.
        reuse: options.reuse,
        evidenceDirectory: join(step.runDirectory, 'cluster'),
        onProgress: step.onProgress,
      });
      if (stays) {
        undo();
        await lock.keepCluster(name);
        if (!options.keep) removeNamespaces(step, cluster);
      }
      return cluster;
    },

    removeServices(step) {
      const run = createCommandRunner({ log: step.log });
      step.lifecycle.defer('remove what ran beside the cluster', async () => {
        const mine = ['--filter', `label=${RUN_LABEL}=${step.runId}`, '--filter', `label=${SERVICE_LABEL}`];
        const { stdout } = await run.run('docker', ['ps', '--all', '--quiet', ...mine]);
        const ids = stdout.split('\n').filter(Boolean);
        if (ids.length > 0) await run.run('docker', ['rm', '--force', '--volumes', ...ids]);
      });
    },

    async leftovers(step) {
      if (options.cluster === 'existing') return [];
      const found = await findLeftovers({ run: step.run, registry, now: () => Date.now() });
      return found
        .filter((l) => l.run === plan.runId && l.kind !== 'record' && l.state !== 'kept')
        .map((l) => `${l.kind} ${l.name}`);
    },

    async requirementRows() {
      const rows = await listRequirements({
        suites: [...plan.suites.map((s) => s.definition.name), 'all'],
        requirements: [],
      });
      return rows.filter((row) => row.suite !== 'all' || row.checks.length > 0);
    },
  };
}

/** On a cluster that stays, everything of this run goes with its namespaces. */
function removeNamespaces(step: StepDeps, cluster: Cluster): void {
  step.lifecycle.defer('delete the namespaces of this run', async () => {
    // The cluster's own client ends with the run's signal.
    const { kubeconfig, context } = cluster;
    const kube = await createKubeClient({ kubeconfig, context, log: step.log });
    try {
      await deleteRunNamespaces(kube, step.runId);
    } finally {
      await kube.close();
    }
  });
}
