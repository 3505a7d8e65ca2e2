/**
 * Pauses migrations or makes them fail from the database's side, so that it works with any image under test: an event trigger runs
 * before every change of the schema (PostgreSQL documentation, "Event Triggers").
 */
import type { Database } from '../../../fixtures/services/postgres-types.ts';

/** The error message of a broken migration. */
export const BROKEN = 'kindproof refuses this change of the schema';

export interface Sabotage {
  /** Restores the database. Idempotent. */
  undo(): Promise<void>;
}

/** How long a migration is paused at most, for a check that fails before it resumes it. */
const HELD_SECONDS = 240;

export interface Hold {
  /** Resumes the connections that are paused now, for good. Later ones are still paused. */
  letGo(): Promise<void>;
  /** Resumes all connections, and pauses none any more. */
  end(): Promise<void>;
}

/** Pauses every connection at its first change of the schema. A database that is already migrated pauses none. */
export async function holdMigrations(database: Database): Promise<Hold> {
  await beforeEveryChange(
    database,
    `declare
       since timestamptz := clock_timestamp();
     begin
       if current_setting('kindproof.let_go', true) is distinct from 'yes' then
         for look in 1..${HELD_SECONDS * 10} loop
           exit when exists (select from kindproof.let_go where at >= since);
           perform pg_sleep(0.1);
         end loop;
         perform set_config('kindproof.let_go', 'yes', false);
       end if;
     end;`,
    ['create table kindproof.let_go (at timestamptz)', 'grant select on kindproof.let_go to public'],
  );
  const allow = async (until: string): Promise<void> => {
    await database.query(`insert into kindproof.let_go values (${until})`);
  };
  return { letGo: () => allow('clock_timestamp()'), end: () => allow(`'infinity'`) };
}

/** Makes every change of the schema fail. */
export function breakMigrations(database: Database): Promise<Sabotage> {
  return beforeEveryChange(database, `raise exception '${BROKEN}';`);
}

async function beforeEveryChange(
  database: Database,
  body: string,
  preparations: readonly string[] = [],
): Promise<Sabotage> {
  await database.query('create schema if not exists kindproof');
  await database.query('grant usage on schema kindproof to public');
  for (const statement of preparations) await database.query(statement);
  await database.query(
    `create function kindproof.before_change() returns event_trigger language plpgsql as $$ begin ${body} end $$`,
  );
  await database.query(
    'create event trigger kindproof on ddl_command_start execute function kindproof.before_change()',
  );
  return {
    async undo() {
      // Removing an event trigger does not fire it.
      await database.query('drop event trigger if exists kindproof');
      await database.query('drop schema if exists kindproof cascade');
    },
  };
}
