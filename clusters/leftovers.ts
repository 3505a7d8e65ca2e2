/** What runs left on this machine, and whose it is. Reads only. */
import { z } from 'zod';
import { RUN_LABEL } from '../harness/core/run-id.ts';
import type { LeftoverFact } from '../harness/host/preflight/finding.ts';
import { filesOfRuns, temporaryFolders } from './leftover-files.ts';
import type { Leftover, LeftoverDeps, Owner } from './leftover.ts';
import { CLUSTER_PREFIX, ownsCluster, stateOf } from './leftover.ts';
import { readRuns } from './run-lock.ts';

/** kind's own label on the containers that are nodes. */
export const KIND_CLUSTER_LABEL = 'io.x-k8s.kind.cluster';

/** On the containers in which images are put together; inherited by the images and by what runs from them. */
const BUILD_LABEL = 'kindproof.dev/role=image-build';

/** A node image takes minutes to build: what is older than this has been left by a build that died. */
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
 * Everything that carries our label, the nodes of clusters called `kp-*`, and files of runs that have ended.
 *
 * @throws CommandError when the engine does not answer
 */
export async function findLeftovers(deps: LeftoverDeps): Promise<Leftover[]> {
  const recorded = await readRuns(deps.registry);
  const [labelled, nodes, builders, volumes, networks] = await Promise.all([
    rows(deps, 'container', RUN_LABEL),
    rows(deps, 'container', KIND_CLUSTER_LABEL),
    rows(deps, 'container', BUILD_LABEL),
    rows(deps, 'volume', RUN_LABEL),
    rows(deps, 'network', RUN_LABEL),
  ]);
  const dead = builders.filter((row) => deps.now() - createdAt(row) >= BUILD_AGE_MS);
  const unique = new Map([...labelled, ...nodes, ...dead].map((row) => [row.id, row]));
  const runs = claims(recorded, new Set(nodes.map(({ cluster }) => cluster)));
  const containers = [...unique.values()].flatMap((row) => container(row, runs));
  return [
    ...containers,
    ...volumes.map((row) => owned('volume', row, runs)),
    ...networks.map((row) => owned('network', row, runs)),
    ...(await temporaryFolders(deps, runs, containers)),
    ...(await filesOfRuns(runs)),
  ];
}

/**
 * The runs with the best claim to a shared thing first: those that go on, then the latest. A cluster that was kept and is gone
 * keeps nothing any more.
 */
function claims(runs: readonly Owner[], existing: ReadonlySet<string>): Owner[] {
  return runs
    .map((run) => ({ ...run, kept: run.kept.filter((cluster) => existing.has(cluster)) }))
    .sort((a, b) => Number(b.alive) - Number(a.alive) || b.startedAt.localeCompare(a.startedAt));
}

function container(row: Row, runs: readonly Owner[]): Leftover[] {
  const { cluster } = row;
  if (cluster === '') return [owned('container', row, runs)];
  // A node inherits the labels of its image, so it belongs to its cluster, whatever run its image was built by.
  if (!cluster.startsWith(CLUSTER_PREFIX)) return [];
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

/** `2026-11-21 11:45:02 +0000 UTC`; what cannot be read counts as new. */
function createdAt(row: Row): number {
  const time = Date.parse(row.created.replace(/ [A-Z]+$/, ''));
  return Number.isNaN(time) ? Number.POSITIVE_INFINITY : time;
}

function owned(kind: 'container' | 'volume' | 'network', row: Row, runs: readonly Owner[]): Leftover {
  const owners = runs.filter((owner) => owner.run === row.run);
  // Of what a run kept, a database beside it is no part: every run starts its own.
  const state = stateOf(owners, (owner) => kind !== 'container' && owner.kept.length > 0);
  return { kind, id: row.id, name: row.name, ...(row.run === '' ? {} : { run: row.run }), state };
}

const NAME_FIELD = { container: '.Names', volume: '.Name', network: '.Name' } as const;
const ID_FIELD = { container: '.ID', volume: '.Name', network: '.ID' } as const;

/** One listing for each kind: an `inspect` of what was listed would fail on what has vanished since. */
async function rows(deps: LeftoverDeps, kind: keyof typeof NAME_FIELD, label: string): Promise<Row[]> {
  const fields = [
    `"id":{{json ${ID_FIELD[kind]}}}`,
    `"name":{{json ${NAME_FIELD[kind]}}}`,
    `"run":{{json (.Label "${RUN_LABEL}")}}`,
    `"cluster":{{json (.Label "${KIND_CLUSTER_LABEL}")}}`,
    ...(kind === 'container' ? ['"created":{{json .CreatedAt}}'] : []),
  ];
  const list = kind === 'container' ? ['ps', '--all', '--no-trunc'] : [kind, 'ls'];
  const args = [...list, '--filter', `label=${label}`, '--format', `{${fields.join(',')}}`];
  const { stdout } = await deps.run.run('docker', args, {
    timeoutMs: 60_000,
    signal: deps.signal,
    hint: 'See whether the engine runs: npm run doctor',
  });
  const lines = stdout.split('\n').filter((line) => line.trim() !== '');
  return lines.map((line) => rowSchema.parse(JSON.parse(line)));
}

/** Leftovers as a reader counts them: a cluster is one thing, and bookkeeping is none. */
export function summariseLeftovers(leftovers: readonly Leftover[]): LeftoverFact[] {
  const clusters = new Map<string, { state: Leftover['state']; nodes: number }>();
  const others: LeftoverFact[] = [];
  for (const { kind, name, state, cluster } of leftovers) {
    if (kind === 'container' && cluster !== undefined) {
      clusters.set(cluster, { state, nodes: (clusters.get(cluster)?.nodes ?? 0) + 1 });
    } else if (kind !== 'record') {
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
