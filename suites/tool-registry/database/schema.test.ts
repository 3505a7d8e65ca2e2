import { describe, expect, it } from 'vitest';
import { registryObjects } from '../../../fixtures/testing/registry-objects.ts';
import type { Database } from '../../../fixtures/services/postgres-types.ts';
import type { Clock } from '../../../harness/core/deadline.ts';
import { CheckFailure } from '../../../harness/core/errors.ts';
import { makePod } from '../../../harness/testing/sample-world.ts';
import type { Release } from '../../../harness/run/suite/release.ts';
import type { Schema, SchemaSample } from './schema.ts';
import { headOf, schemaBeforeTraffic, schemaIsCurrent, watchSchema } from './schema.ts';

const HEAD = '0003';
const current: Schema = { revision: HEAD, tables: ['tool_executions', 'tools'], vector: true };
const empty: Schema = { revision: undefined, tables: [], vector: false };

describe('schemaIsCurrent', () => {
  it.each<[string, Partial<Schema>, string]>([
    ['', {}, 'revision 0003, 2 tables, extension vector'],
    ['old', { revision: '0002' }, 'alembic_version is 0002, not 0003'],
    ['not migrated', { revision: undefined }, 'alembic_version is missing, not 0003'],
    ['stamped only', { tables: ['tools'] }, 'table tool_executions is missing'],
    ['without the extension', { vector: false }, 'extension vector is missing'],
  ])('%s', (what, change, actual) => {
    expect(schemaIsCurrent({ ...current, ...change }, HEAD)).toMatchObject({ ok: what === '', actual });
  });
});

describe('schemaBeforeTraffic', () => {
  const samples = (...looks: [Schema, ...string[]][]): SchemaSample[] =>
    looks.map(([schema, ...ready], index) => ({ at: index * 1000, ready, schema }));

  it('holds for the old schema first, then the new one, then traffic', () => {
    expect(schemaBeforeTraffic(samples([empty], [current], [current, 'a']), HEAD)).toMatchObject({
      ok: true,
      observed: ['3 samples: schema not current until 0.0 s, first traffic after 2.0 s'],
    });
  });

  it.each<[string, SchemaSample[], string]>([
    [
      'traffic on the old schema',
      samples([empty], [empty, 'a'], [current, 'a']),
      'after 1.0 s a got traffic while alembic_version is missing, not 0003, table tools is missing, table tool_executions is missing, extension vector is missing',
    ],
    [
      'sampled too late',
      samples([current], [current, 'a']),
      'the schema was current in the first sample, so the order was not observed',
    ],
    ['no traffic', samples([empty], [current]), 'no pod became a ready endpoint'],
  ])('does not hold: %s', (_what, looks, actual) => {
    expect(schemaBeforeTraffic(looks, HEAD)).toMatchObject({ ok: false, actual });
  });
});

describe('watchSchema', () => {
  it('samples the endpoints before the schema, and leaves out failed reads', async () => {
    const versions: (string | Error)[] = ['0001', new Error('server away'), '0002'];
    let looks = 0;
    const database = {
      query: () => Promise.resolve([{ tables: ['tools'], vector: true }]),
      alembicVersion: () => {
        const version = versions[looks] ?? HEAD;
        looks += 1;
        return version instanceof Error ? Promise.reject(version) : Promise.resolve(version);
      },
    } as unknown as Database;
    const recording = {
      endpointsOf: () => (looks < 2 ? [] : [{ seq: 0, at: 0, ready: new Set(['a']) }]),
    };
    let done = (): void => undefined;
    const finished = new Promise<void>((resolve) => (done = resolve));
    const clock: Clock = {
      now: () => looks,
      sleep: () => {
        if (looks < 4) return Promise.resolve();
        done();
        return Promise.resolve();
      },
    };
    const watch = watchSchema(recording, 'web', database, clock);
    await finished;
    const seen = (await watch.stop()).slice(0, 3).map(({ ready, schema }) => [schema.revision, ...ready]);
    expect(seen).toEqual([['0001'], ['0002', 'a'], [HEAD, 'a']]);
  });
});

describe('headOf', () => {
  const release = (output: string): Release =>
    ({ ...registryObjects(), output: () => Promise.resolve(output) }) as unknown as Release;
  const pod = makePod({});

  it('reads the name before (head)', async () => {
    expect(await headOf(release('a1b2c3 (head)\n'), pod)).toBe('a1b2c3');
  });

  it.each(['', 'a (head)\nb (head)\n'])('refuses %j', async (output) => {
    await expect(headOf(release(output), pod)).rejects.toThrow(CheckFailure);
  });
});
