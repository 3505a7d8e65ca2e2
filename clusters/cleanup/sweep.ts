/** Removes what earlier runs left in the engine and on disk. Never touches runs in progress. */
import { rm } from 'node:fs/promises';
import pLimit from 'p-limit';
import type { CommandResult } from '../../harness/core/command.ts';
import type { Clock } from '../../harness/core/deadline.ts';
import { waitFor } from '../../harness/core/deadline.ts';
import { InfrastructureError, InterruptedError, messageOf, UsageError } from '../../harness/core/errors.ts';
import type { Log } from '../../harness/core/log.ts';
import type { Leftover, LeftoverDeps } from './leftover.ts';
import { findLeftovers } from './leftovers.ts';
import { forgetRun, isAlive, readRuns, type RunRegistry } from './run-lock.ts';

export interface SweepDeps extends LeftoverDeps {
  clock: Clock;
  log: Log;
}

export interface SweepOptions {
  /** Only what belongs to this run or this cluster, kept or not. */
  runId?: string | undefined;
  /** Also kept clusters. */
  all?: boolean;
  dryRun?: boolean;
  /** Also kind's shared network, if no container is connected. */
  network?: boolean;
}

export type SweepAction = 'removed' | 'gone' | 'would-remove' | 'left' | 'failed';

export interface SweepItem extends Leftover {
  action: SweepAction;
  /** Why it was left, or why it could not be removed. */
  reason?: string;
}

/** Containers first: they use the volumes and networks. */
const ORDER: readonly Leftover['kind'][] = ['container', 'volume', 'network', 'file', 'folder', 'record'];

/**
 * Removes the leftovers that `findLeftovers` returns, with the anonymous volumes of containers. Something that disappears in the meantime
 * is `gone`. If a removal fails, the others continue.
 *
 * @returns one item for each leftover
 * @throws UsageError `E_RUN_ALIVE` for the id of a run in progress; CommandError when the engine does not answer
 */
export async function sweepLeftovers(deps: SweepDeps, options: SweepOptions = {}): Promise<SweepItem[]> {
  const { runId } = options;
  await rejectRunInProgress(runId, deps.registry);
  const found = await findLeftovers(deps);
  const mine = runId === undefined ? found : found.filter((leftover) => belongsTo(leftover, runId));
  const items: SweepItem[] = [];
  for (const kind of ORDER) {
    const limit = pLimit(4);
    const ofKind = mine.filter((leftover) => leftover.kind === kind);
    items.push(
      ...(await Promise.all(ofKind.map((leftover) => limit(() => sweepOne(deps, leftover, options))))),
    );
  }
  if (options.network === true) items.push(...(await sweepKindNetwork(deps, options)));
  return items;
}

/** @throws UsageError `E_RUN_ALIVE` */
export async function rejectRunInProgress(runId: string | undefined, registry: RunRegistry): Promise<void> {
  if (runId === undefined || !(await isAlive(runId, registry))) return;
  throw new UsageError('E_RUN_ALIVE', `run ${runId} is still in progress`, {
    hint: 'stop it first (Ctrl+C in its terminal): it removes what it created',
  });
}

function belongsTo(leftover: Leftover, runId: string): boolean {
  return leftover.run === runId || leftover.cluster === `kp-${runId}` || leftover.cluster === runId;
}

/** Why a sweep with these options leaves something; `undefined` for what it removes. */
export function whyLeft(
  { state, run, cluster, existing }: Pick<Leftover, 'state' | 'run' | 'cluster' | 'existing'>,
  { all, runId }: SweepOptions,
): string | undefined {
  if (state === 'alive') return `run ${run ?? ''} is in progress`;
  if (all === true || runId !== undefined) return undefined;
  if (state === 'kept') return `kept; remove it with --run ${cluster ?? run ?? ''} or --all`;
  if (state === 'unowned') {
    const id = run ?? cluster;
    return `no record of its run here, another user may be using it; remove it with ${id === undefined ? '' : `--run ${id} or `}--all`;
  }
  if (!existing) return undefined;
  const { kubeconfig, context } = existing;
  return `it may have left objects on the cluster of context ${context}; remove them with --cluster existing --kubeconfig ${kubeconfig} --context ${context}`;
}

async function sweepOne(deps: SweepDeps, leftover: Leftover, options: SweepOptions): Promise<SweepItem> {
  const reason = whyLeft(leftover, options);
  if (reason !== undefined) return { ...leftover, action: 'left', reason };
  if (options.dryRun === true) return { ...leftover, action: 'would-remove' };
  try {
    const action = await remove(deps, leftover);
    deps.log.info('swept', { kind: leftover.kind, name: leftover.name, run: leftover.run, action });
    return { ...leftover, action };
  } catch (error) {
    if (error instanceof InterruptedError) throw error;
    deps.log.warn('not swept', { kind: leftover.kind, name: leftover.name, error: messageOf(error) });
    return { ...leftover, action: 'failed', reason: messageOf(error) };
  }
}

async function remove(deps: SweepDeps, leftover: Leftover): Promise<'removed' | 'gone'> {
  switch (leftover.kind) {
    case 'container':
      return removeContainer(deps, leftover);
    case 'volume':
      return outcome(leftover, await docker(deps, ['volume', 'rm', '--force', leftover.id]));
    case 'network':
      return outcome(leftover, await docker(deps, ['network', 'rm', leftover.id]));
    case 'file':
    case 'folder':
      await rm(leftover.id, { recursive: true, force: true });
      return 'removed';
    case 'record':
      for (const record of await readRuns(deps.registry)) {
        if (record.run === leftover.run && !record.alive) await forgetRun(record, deps.registry);
      }
      return 'removed';
  }
}

async function removeContainer(deps: SweepDeps, leftover: Leftover): Promise<'removed' | 'gone'> {
  const result = await docker(deps, ['rm', '--force', '--volumes', leftover.id]);
  if (!/removal of container .* is already in progress/i.test(result.stderr))
    return outcome(leftover, result);
  // Another process is removing it (another sweep, or a run that ends).
  await waitFor({
    what: `container ${leftover.name} to be removed`,
    timeoutMs: 30_000,
    clock: deps.clock,
    signal: deps.signal,
    look: async () => {
      const { stdout } = await docker(deps, ['ps', '--all', '--quiet', '--filter', `id=${leftover.id}`]);
      return stdout.trim() === '' ? { done: true, value: undefined } : { done: false, seen: 'still exists' };
    },
  });
  return 'gone';
}

function outcome(leftover: Leftover, result: CommandResult): 'removed' | 'gone' {
  if (result.exitCode === 0) return 'removed';
  if (/no such (container|volume|network)|network .* not found/i.test(result.stderr)) return 'gone';
  const reason = result.stderr.trim().split('\n').at(-1) ?? '';
  throw new InfrastructureError('E_SWEEP', reason === '' ? `exit code ${result.exitCode}` : reason, {
    details: { leftover },
  });
}

/** kind creates one network for all clusters and never removes it. Clusters of other tools may be connected to it. */
async function sweepKindNetwork(deps: SweepDeps, options: SweepOptions): Promise<SweepItem[]> {
  const name = 'kind';
  const exists = await docker(deps, ['network', 'inspect', name]);
  if (exists.exitCode !== 0) return [];
  const network: Leftover = { kind: 'network', id: name, name, state: 'stale' };
  const users = await docker(deps, ['ps', '--all', '--quiet', '--filter', `network=${name}`]);
  const count = users.stdout.split('\n').filter((line) => line !== '').length;
  if (count > 0) return [{ ...network, action: 'left', reason: `${count} containers are connected to it` }];
  return [await sweepOne(deps, network, options)];
}

function docker(deps: SweepDeps, args: readonly string[]): Promise<CommandResult> {
  return deps.run.run('docker', args, { reject: false, timeoutMs: 120_000, signal: deps.signal });
}
