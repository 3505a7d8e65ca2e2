/** The schema of the registry's database, and whether it was current before any pod got traffic. */
import { z } from 'zod';
import type { Database } from '../../../fixtures/services/postgres-types.ts';
import type { PredicateResult } from '../../../harness/observe/predicates/result.ts';
import { systemClock } from '../../../harness/core/deadline.ts';
import { CheckFailure } from '../../../harness/core/errors.ts';
import { sampleUntilStopped, type Sampling } from '../../../harness/core/sampling.ts';
import type { Pod } from '../../../harness/kube/api/types.ts';
import type { Recording } from '../../../harness/observe/recorder/recording.ts';
import type { Release } from '../../../harness/run/suite/release.ts';
import { rolesOf } from '../roles.ts';

const INTERVAL_MS = 100;

/** The tables that the application needs, by the description of its first migration. */
const TABLES = ['tools', 'tool_executions'] as const;

export interface Schema {
  /** The revision in `alembic_version`; `undefined` before the table exists. */
  revision: string | undefined;
  tables: readonly string[];
  /** Whether the extension `vector` exists. */
  vector: boolean;
}

/** The schema at a moment, and the Service's ready endpoints just before it was read. */
export interface SchemaSample {
  /** Milliseconds since the epoch. */
  at: number;
  ready: readonly string[];
  schema: Schema;
}

const rowSchema = z.object({ tables: z.array(z.string()), vector: z.boolean() });

const SCHEMA = `
  select
    array(select tablename::text from pg_tables where schemaname = 'public' order by 1) as tables,
    exists(select from pg_extension where extname = 'vector') as vector`;

export async function readSchema(database: Database): Promise<Schema> {
  const [row] = await database.query(SCHEMA, [], rowSchema);
  return {
    revision: await database.alembicVersion(),
    tables: row?.tables ?? [],
    vector: row?.vector ?? false,
  };
}

/**
 * The newest revision among the scripts of the image, as its own alembic reports it.
 *
 * @throws CheckFailure E_ALEMBIC when there is not exactly one
 */
export async function headOf(release: Release, pod: Pod): Promise<string> {
  const output = await release.output(pod, ['alembic', 'heads'], rolesOf(release).server.name);
  const heads = [...output.matchAll(/^(\S+) \(head\)/gm)].flatMap((match) => match[1] ?? []);
  const [head] = heads;
  if (head !== undefined && heads.length === 1) return head;
  throw new CheckFailure('E_ALEMBIC', `\`alembic heads\` names ${heads.length} heads: ${output.trim()}`);
}

/** Revision, tables and extension are those of the image's newest migration. */
export function schemaIsCurrent(schema: Schema, head: string): PredicateResult {
  const details = gaps(schema, head);
  return {
    ok: details.length === 0,
    expected: `revision ${head}, tables ${TABLES.join(', ')}, extension vector`,
    actual: details[0] ?? `revision ${head}, ${schema.tables.length} tables, extension vector`,
    observed: [`alembic_version ${schema.revision ?? 'is missing'}, tables ${schema.tables.join(', ')}`],
    details,
  };
}

/** The schema was current whenever a pod was a ready endpoint; at least one sample shows it not current, without an endpoint. */
export function schemaBeforeTraffic(samples: readonly SchemaSample[], head: string): PredicateResult {
  const start = samples[0]?.at ?? 0;
  const early = samples.filter(({ ready, schema }) => ready.length > 0 && gaps(schema, head).length > 0);
  const before = samples.filter(({ ready, schema }) => ready.length === 0 && gaps(schema, head).length > 0);
  const served = samples.find(({ ready }) => ready.length > 0);
  const details = early.map(
    ({ at, ready, schema }) =>
      `after ${elapsed(start, at)} ${ready.join(', ')} got traffic while ${gaps(schema, head).join(', ')}`,
  );
  if (before.length === 0)
    details.push('the schema was current in the first sample, so the order was not observed');
  if (!served) details.push('no pod became a ready endpoint');
  const first = early[0];
  return {
    ok: details.length === 0,
    expected: `no ready endpoint before the schema is at revision ${head}`,
    actual: details[0] ?? 'none before that',
    observed: [
      `${samples.length} samples: schema not current until ${elapsed(start, before.at(-1)?.at)}, first traffic after ${elapsed(start, served?.at)}`,
    ],
    details: first ? details.slice(0, 3) : details,
  };
}

export type SchemaWatch = Sampling<SchemaSample>;

/** Samples the Service's endpoints and then the schema ten times a second until stopped. Failed reads are left out. */
export function watchSchema(
  recording: Pick<Recording, 'endpointsOf'>,
  service: string,
  database: Database,
  clock = systemClock,
): SchemaWatch {
  return sampleUntilStopped<SchemaSample>(
    async (at) => {
      // In this order: a pod that is an endpoint now gets traffic on the schema read next, or on an older one.
      const ready = [...(recording.endpointsOf(service).at(-1)?.ready ?? [])];
      return { at, ready, schema: await readSchema(database) };
    },
    { everyMs: INTERVAL_MS, clock },
  );
}

function gaps({ revision, tables, vector }: Schema, head: string): string[] {
  return [
    ...(revision === head ? [] : [`alembic_version is ${revision ?? 'missing'}, not ${head}`]),
    ...TABLES.filter((table) => !tables.includes(table)).map((table) => `table ${table} is missing`),
    ...(vector ? [] : ['extension vector is missing']),
  ];
}

function elapsed(start: number, at: number | undefined): string {
  return at === undefined ? 'never' : `${((at - start) / 1000).toFixed(1)} s`;
}
