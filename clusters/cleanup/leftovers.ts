/** Finds what earlier runs left on this machine, with its owner. Read-only. */
import { z } from 'zod';
import { RUN_LABEL } from '../../harness/core/run-id.ts';
import type { LeftoverFact } from '../../harness/host/preflight/finding.ts';
import { SHARED_STORAGE_PATH } from '../kind/kind-config.ts';
import { KIND_CLUSTER_LABEL } from '../kind/node-containers.ts';
import { BUILD_LABEL } from '../node-image/build-node-image.ts';
import { filesOfRuns, temporaryFolders } from './leftover-files.ts';
import type { Leftover, LeftoverDeps, Owner } from './leftover.ts';
import { CLUSTER_PREFIX, ownsCluster, stateOf } from './leftover.ts';
import { readRuns } from './run-lock.ts';

/** A build of a node image takes minutes: an older build container was left by a killed build. */
const BUILD_AGE_MS = 2 * 60 * 60 * 1000;

const rowSchema = z.object({
  id: z.string(),
  name: z.string(),
  run: z.string(),
  cluster: z.string(),
  created: z.string().default(''),
});

type Row = z.infer<typeof rowSchema>;

/**
 * Finds everything with the run label, the nodes of clusters that kindproof created, and files of recorded runs.
 *
 * The mark of its nodes is the mount of the shared folder. A node has it from the moment its container is created, so a cluster whose
 * creation was killed is found as well. kind cannot label its containers, and anybody can name a cluster `kp-…`.
 *
 * @throws CommandError when the engine does not answer
 */
export async function findLeftovers(deps: LeftoverDeps): Promise<Leftover[]> {
  const recorded = await readRuns(deps.registry);
  const [labelled, nodes, builders, volumes, networks] = await Promise.all([
    rows(deps, 'container', RUN_LABEL),
    rows(deps, 'container', KIND_CLUSTER_LABEL, `volume=${SHARED_STORAGE_PATH}`),
    rows(deps, 'container', BUILD_LABEL),
    rows(deps, 'volume', RUN_LABEL),
    rows(deps, 'network', RUN_LABEL),
  ]);
  const dead = builders.filter((row) => deps.now() - createdAt(row) >= BUILD_AGE_MS);
  // Nodes of any cluster whose node image a run has built inherit the run label.
  const others = [...labelled, ...dead].filter(({ cluster }) => cluster === '');
  const unique = new Map([...others, ...nodes].map((row) => [row.id, row]));
  const runs = byPrecedence(recorded, new Set(nodes.map(({ cluster }) => cluster)));
  const containers = [...unique.values()].flatMap((row) => container(row, runs));
  return [
    ...containers,
    ...volumes.map((row) => owned('volume', row, runs)),
    ...networks.map((row) => owned('network', row, runs)),
    ...(await temporaryFolders(deps, runs, containers)),
    ...(await filesOfRuns(runs)),
  ];
}

/** Sorts possible owners: runs in progress first, then the latest. Drops kept clusters that no longer exist. */
function byPrecedence(runs: readonly Owner[], existing: ReadonlySet<string>): Owner[] {
  return runs
    .map((run) => ({ ...run, kept: run.kept.filter((cluster) => existing.has(cluster)) }))
    .sort((a, b) => Number(b.alive) - Number(a.alive) || b.startedAt.localeCompare(a.startedAt));
}

function container(row: Row, runs: readonly Owner[]): Leftover[] {
  const { cluster } = row;
  if (cluster === '' && row.run === '') {
    // An old build container: no run owns it.
    return [{ kind: 'container', id: row.id, name: row.name, state: 'stale' }];
  }
  if (cluster === '') return [owned('container', row, runs)];
  if (!cluster.startsWith(CLUSTER_PREFIX)) return [];
  // The run label of a node is that of its image, so its owner is decided by the cluster's name only.
  const owners = runs.filter((run) => ownsCluster(run, cluster));
  const run = owners[0]?.run;
  return [
    {
      kind: 'container',
      id: row.id,
      name: row.name,
      cluster,
      ...(run === undefined ? {} : { run }),
      state: stateOf(owners, (owner) => owner.kept.includes(cluster)),
    },
  ];
}

/** Parses `2026-11-21 11:45:02 +0000 UTC`. An unreadable time counts as new. */
function createdAt(row: Row): number {
  const time = Date.parse(row.created.replace(/ [A-Z]+$/, ''));
  return Number.isNaN(time) ? Number.POSITIVE_INFINITY : time;
}

function owned(kind: 'container' | 'volume' | 'network', row: Row, runs: readonly Owner[]): Leftover {
  const owners = runs.filter((owner) => owner.run === row.run);
  // --keep does not keep containers outside the cluster, such as a database: every run starts its own.
  const state = stateOf(owners, (owner) => kind !== 'container' && owner.kept.length > 0);
  return { kind, id: row.id, name: row.name, ...(row.run === '' ? {} : { run: row.run }), state };
}

const NAME_FIELD = { container: '.Names', volume: '.Name', network: '.Name' } as const;
const ID_FIELD = { container: '.ID', volume: '.Name', network: '.ID' } as const;

/** One listing for each kind. `inspect` after a listing would fail for objects removed in between. All filters have to match. */
async function rows(
  deps: LeftoverDeps,
  kind: keyof typeof NAME_FIELD,
  label: string,
  ...filters: readonly string[]
): Promise<Row[]> {
  const fields = [
    `"id":{{json ${ID_FIELD[kind]}}}`,
    `"name":{{json ${NAME_FIELD[kind]}}}`,
    `"run":{{json (.Label "${RUN_LABEL}")}}`,
    `"cluster":{{json (.Label "${KIND_CLUSTER_LABEL}")}}`,
    ...(kind === 'container' ? ['"created":{{json .CreatedAt}}'] : []),
  ];
  const list = kind === 'container' ? ['ps', '--all', '--no-trunc'] : [kind, 'ls'];
  const filter = [`label=${label}`, ...filters].flatMap((one) => ['--filter', one]);
  const args = [...list, ...filter, '--format', `{${fields.join(',')}}`];
  const { stdout } = await deps.run.run('docker', args, {
    timeoutMs: 60_000,
    signal: deps.signal,
    hint: 'check that the engine is running: npm run doctor',
  });
  const lines = stdout.split('\n').filter((line) => line.trim() !== '');
  return lines.map((line) => rowSchema.parse(JSON.parse(line)));
}

/**
 * Leftovers as a user counts them: the nodes of a cluster are one leftover. A kubeconfig counts only once its cluster is gone; records
 * never count.
 */
export function summariseLeftovers(leftovers: readonly Leftover[]): LeftoverFact[] {
  const clusters = new Map<string, { state: Leftover['state']; nodes: number }>();
  const others: LeftoverFact[] = [];
  for (const { kind, name, state, cluster } of leftovers) {
    if (kind === 'container' && cluster !== undefined) {
      clusters.set(cluster, { state, nodes: (clusters.get(cluster)?.nodes ?? 0) + 1 });
    } else if (kind !== 'record' && !(kind === 'file' && state !== 'stale')) {
      others.push({ kind, name, state });
    }
  }
  const ofClusters = [...clusters].map(([name, { state, nodes }]) => ({
    kind: 'cluster',
    name: `${name} (${nodes} node${nodes === 1 ? '' : 's'})`,
    state,
  }));
  return [...ofClusters, ...others];
}
