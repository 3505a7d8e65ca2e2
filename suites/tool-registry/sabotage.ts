/**
 * Makes migrations slow or impossible from the database's side, so that it works with whichever image is under test: an event trigger
 * runs before every change of the schema (PostgreSQL documentation, "Event Triggers").
 */
import type { Database } from '../../fixtures/services/postgres-types.ts';

/** What the application gets to see of a broken migration. */
export const BROKEN = 'kindproof refuses this change of the schema';

export interface Sabotage {
  /** The database is as it was. Idempotent. */
  undo(): Promise<void>;
}

/** The first change of the schema in each connection takes so many seconds longer; what is already migrated takes no longer. */
export function slowMigrations(database: Database, seconds: number): Promise<Sabotage> {
  return beforeEveryChange(
    database,
    `if current_setting('kindproof.slept', true) is distinct from 'yes' then
       perform set_config('kindproof.slept', 'yes', false);
       perform pg_sleep(${seconds});
     end if;`,
  );
}

/** Every change of the schema is an error. */
export function breakMigrations(database: Database): Promise<Sabotage> {
  return beforeEveryChange(database, `raise exception '${BROKEN}';`);
}

async function beforeEveryChange(database: Database, body: string): Promise<Sabotage> {
  await database.query('create schema if not exists kindproof');
  await database.query('grant usage on schema kindproof to public');
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
