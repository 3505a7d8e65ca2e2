/** Removes what killed runs left on an existing cluster. Never touches anything without the mark of a run. */
import { rm } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import type { Clock } from '../../harness/core/deadline.ts';
import type { Log } from '../../harness/core/log.ts';
import type { KubeClient } from '../../harness/kube/api/client.ts';
import { ApiError } from '../../harness/kube/api/errors.ts';
import { clusterInventory } from '../../harness/kube/api/inventory.ts';
import { fullNameOf } from '../../harness/kube/manifests/objects.ts';
import { cordonsOfRuns, uncordonNode } from './cordons.ts';
import { stateOf, type Leftover } from './leftover.ts';
import { forgetRun, readRuns, type RunRegistry } from './run-lock.ts';
import { objectsOfRuns, removeObjects, type RunObject } from './run-objects.ts';
import { rejectRunInProgress, whyLeft, type SweepAction, type SweepOptions } from './sweep.ts';

export interface ClusterSweepDeps {
  kube: KubeClient;
  /** The cluster as the user named it, to find the records of runs on it. */
  cluster: { kubeconfig: string; context: string };
  registry: RunRegistry;
  clock: Clock;
  log: Log;
  signal?: AbortSignal | undefined;
}

export interface ClusterSweepItem {
  /** Kind of the object: `Namespace`, `ClusterRole`; `cordon of node` for what is undone. */
  kind: string;
  name: string;
  run: string;
  state: Leftover['state'];
  action: SweepAction;
  /** Why it was left, or why it still exists. */
  reason?: string;
}

/**
 * Removes namespaces and cluster-scoped objects of runs that have ended, waits until they are gone, and uncordons their nodes. A run
 * without a record on this machine may be in progress on another one: it is left unless it is named, or `all` is given.
 *
 * @returns one item for each object
 * @throws UsageError `E_RUN_ALIVE` for the id of a run in progress; InfrastructureError when the cluster does not answer
 */
export async function sweepCluster(
  deps: ClusterSweepDeps,
  options: Omit<SweepOptions, 'network'> = {},
): Promise<ClusterSweepItem[]> {
  const { kube, registry, log, clock, signal } = deps;
  const { runId } = options;
  await rejectRunInProgress(runId, registry);
  const runs = await readRuns(registry);
  const found = objectsOfRuns(await clusterInventory(kube))
    .filter(({ run }) => runId === undefined || run === runId)
    .map((owned) => {
      const owners = runs.filter(({ run }) => run === owned.run);
      const state = stateOf(owners, ({ kept }) => kept.length > 0);
      return { ...owned, state, left: whyLeft({ run: owned.run, state }, options) };
    });
  const doomed = found.filter(({ left }) => left === undefined);
  const remaining =
    options.dryRun === true ? [] : await removeObjects(kube, doomed, { wait: { clock, signal } });
  const objects = found.map(({ left, ...one }) => {
    const why = remaining.find(({ object }) => object === one.object)?.why;
    if (left !== undefined) return itemOf(one, 'left', left);
    if (options.dryRun === true) return itemOf(one, 'would-remove');
    return why === undefined ? itemOf(one, 'removed') : itemOf(one, 'failed', why);
  });
  const items = [...objects, ...(await sweepCordons(kube, { runs, options }))];
  for (const item of items) log.info('swept', { ...item });
  if (options.dryRun !== true) await forgetSwept(deps, items, runId);
  return items;
}

function itemOf(
  { object, run, state }: RunObject & { state: Leftover['state'] },
  action: SweepAction,
  reason?: string,
): ClusterSweepItem {
  const { kind } = object;
  const name = fullNameOf(object).slice(kind.length + 1);
  return { kind, name, run, state, action, ...(reason !== undefined && { reason }) };
}

/** Gives nodes back that a killed run has cordoned. */
async function sweepCordons(
  kube: KubeClient,
  { runs, options }: { runs: Awaited<ReturnType<typeof readRuns>>; options: Omit<SweepOptions, 'network'> },
): Promise<ClusterSweepItem[]> {
  const cordons = (await cordonsOfRuns(kube)).filter(
    ({ run }) => options.runId === undefined || run === options.runId,
  );
  return Promise.all(
    cordons.map(async ({ node, run }): Promise<ClusterSweepItem> => {
      const owners = runs.filter((record) => record.run === run);
      const state = stateOf(owners, ({ kept }) => kept.length > 0);
      const item = { kind: 'cordon of node', name: node, run, state };
      const left = whyLeft({ run, state }, options);
      if (left !== undefined) return { ...item, action: 'left', reason: left };
      if (options.dryRun === true) return { ...item, action: 'would-remove' };
      try {
        await uncordonNode(kube, node);
        return { ...item, action: 'removed' };
      } catch (error) {
        if (!(error instanceof ApiError)) throw error;
        return { ...item, action: 'failed', reason: error.message };
      }
    }),
  );
}

/** A killed run of which nothing is left on the cluster needs no record any more, and no copy of the kubeconfig. */
async function forgetSwept(
  { registry, cluster }: ClusterSweepDeps,
  items: readonly ClusterSweepItem[],
  runId: string | undefined,
): Promise<void> {
  for (const record of await readRuns(registry)) {
    const { run, existing, directory, alive } = record;
    const isHere =
      existing?.context === cluster.context && existing.kubeconfig === resolve(cluster.kubeconfig);
    if (alive || !isHere || (runId !== undefined && run !== runId)) continue;
    if (items.some((item) => item.run === run && item.action !== 'removed')) continue;
    await rm(join(directory, 'kubeconfig'), { force: true });
    await forgetRun(record, registry);
  }
}
