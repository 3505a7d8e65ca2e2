/**
 * Holds migrations up, or makes them impossible, from the database's side, so that it works with whichever image is under test: an event trigger
 * runs before every change of the schema (PostgreSQL documentation, "Event Triggers").
 */
import type { Database } from '../../fixtures/services/postgres-types.ts';

/** What the application gets to see of a broken migration. */
export const BROKEN = 'kindproof refuses this change of the schema';

export interface Sabotage {
  /** The database is as it was. Idempotent. */
  undo(): Promise<void>;
}

/** Longest time that a migration is held up when nobody lets it go: a check that has failed before it could. */
const HELD_SECONDS = 240;

export interface Hold {
  /** Those who stand still go on, and are held up no more. Those who come later stand still. */
  letGo(): Promise<void>;
  /** Nobody is held up any more. */
  end(): Promise<void>;
}

/** Every connection stands still at its first change of the schema, until it is let go; what is already migrated is not held up. */
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

/** Every change of the schema is an error. */
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
