/** The cluster of a run that kind creates: a new one, or the desk cluster with --keep and --reuse. */
import { join } from 'node:path';
import type { RunLock } from '../../clusters/cleanup/run-lock.ts';
import { rejectNameInUse } from '../../clusters/kind/cluster-name.ts';
import { readEngineCpus, showsMemoryNodes } from '../../clusters/kind/engine-facts.ts';
import { kindProvider, type KindProvider } from '../../clusters/kind/kind-provider.ts';
import { cpusFor, cpusWish } from '../../clusters/demand/cpus.ts';
import { provideFor } from '../../clusters/demand/provide.ts';
import { storageFor } from '../../clusters/demand/storage.ts';
import { ensureNodeImage, type NodeImage } from '../../clusters/node-image/node-image.ts';
import { readRecipe } from '../../clusters/node-image/recipe.ts';
import { mergeTopologies } from '../../clusters/topology.ts';
import { createCommandRunner } from '../../harness/core/command.ts';
import type { Topology } from '../../harness/kube/cluster/cluster.ts';
import type { RunOptions } from '../../harness/run/plan/options.ts';
import type { RunPlan } from '../../harness/run/plan/plan.ts';
import { clusterInventory, type ClusterInventory } from '../../harness/kube/api/inventory.ts';
import type { RunCluster } from '../../harness/run/runner/ports.ts';
import { hasNodeImage } from '../has-node-image.ts';
import { machineLeftovers } from '../machine-leftovers.ts';
import { deskCluster } from './desk-cluster.ts';
import { cleanLastingCluster } from './lasting-cluster.ts';

interface KindRun {
  options: RunOptions;
  plan: RunPlan;
  directory: string;
  lock: RunLock;
}

export function kindRunCluster({ options, plan, directory, lock }: KindRun): RunCluster {
  /** By suite; a subject may ask for more nodes. */
  const topologies = new Map<string, Topology>(
    plan.suites.map(({ definition }) => [definition.name, definition.topology]),
  );
  let storage: Topology = { groups: [] };
  let cpus: Topology = { groups: [] };
  const merged = (): Topology => mergeTopologies([...topologies.values(), storage, cpus]);
  const stays = options.keep || options.reuse;
  const name = stays ? deskCluster(process.env) : `kp-${plan.runId}`;
  const kubeconfig = join(directory, 'kubeconfig');
  let nodeImage: NodeImage | undefined;
  let provider: KindProvider | undefined;
  /** Of a cluster that stays. */
  let before: ClusterInventory | undefined;
  let remaining: string[] = [];
  let isOpen = false;

  return {
    isExisting: false,

    kubernetesVersion: async () => options.kubernetes ?? (await readRecipe()).versions.kubernetes,

    preflightNeed: async (command) => ({
      cluster: 'kind',
      nodes: 1 + merged().groups.reduce((sum, group) => sum + group.count, 0),
      buildNodeImage: !(await hasNodeImage(command)),
    }),

    ...(options.provide && {
      provide(suite, objects, release) {
        const plain = topologies.get(suite);
        if (!plain) throw new Error(`the plan has no suite ${suite}`);
        const { topology, provided } = provideFor(objects, plain, release);
        topologies.set(suite, topology);
        return provided;
      },
      provideStorage(objects) {
        const { topology, provided } = storageFor(objects);
        storage = topology;
        return provided;
      },
      async provideCpus(subjects, release, { log, signal }) {
        const [most] = subjects
          .flatMap((objects) => cpusFor(objects, merged(), release) ?? [])
          .toSorted((a, b) => b.cpus - a.cpus);
        if (!most) return { given: [], missing: [] };
        const run = createCommandRunner({ log });
        const ofMachine = await readEngineCpus(run, signal);
        if (most.cpus <= ofMachine) return { given: [], missing: [] };
        if (!nodeImage) throw new Error('prepare() has not run');
        if (!(await showsMemoryNodes(run, nodeImage.ref, signal)))
          return { given: [], missing: [cpusWish(most)] };
        const reported = Math.ceil(most.cpus / ofMachine) * ofMachine;
        cpus = { groups: [], cpus: reported };
        return { given: [cpusWish({ ...most, cpus: reported })], missing: [] };
      },
    }),

    async prepare({ command, log, signal, onProgress }) {
      await lock.useCluster(name);
      if (!options.reuse) await rejectNameInUse(command, name);
      // Without the signal: the build removes its containers after an interruption.
      const run = createCommandRunner({ log });
      nodeImage = await ensureNodeImage({ run, signal }, { kubernetes: options.kubernetes, onProgress });
    },

    async open({ log, signal, onProgress }, tools) {
      if (!nodeImage) throw new Error('prepare() has not run');
      provider = kindProvider({
        // Without the signal: a half-created cluster is removed after an interruption.
        run: createCommandRunner({ log }),
        kindPath: tools.kind ?? 'kind',
        nodeImage,
        log,
        signal,
      });
      const cluster = await provider.create({
        name,
        topology: merged(),
        kubeconfig,
        reuse: options.reuse,
        evidenceDirectory: join(directory, 'cluster'),
        onProgress,
      });
      isOpen = true;
      if (stays) await lock.keepCluster(name);
      if (stays) before = await clusterInventory(cluster.kube);
      return cluster;
    },

    async close(step) {
      if (!isOpen || !stays) await provider?.delete(name, kubeconfig);
      else if (before) {
        const { runId } = plan;
        remaining = await cleanLastingCluster({ kubeconfig, runId, before, keep: options.keep }, step);
      }
    },

    async leftovers({ command }) {
      if (stays) return remaining;
      lock.keepRecord(true);
      const left = (await machineLeftovers(command)).filter(
        (l) => l.run === plan.runId && l.kind !== 'record' && l.state !== 'kept',
      );
      lock.keepRecord(left.length > 0);
      return left.map((l) => `${l.kind} ${l.name}`);
    },
  };
}
