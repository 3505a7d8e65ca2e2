import { describe, expect, it } from 'vitest';
import { attemptsIn, CAUSES, gaveUpAfterAllAttempts, namesCause, upgradesIn } from './migration-log.ts';

const attempts = (count: number, line = (n: number) => `waiting for PostgreSQL (attempt ${n}/30)`): string =>
  Array.from({ length: count }, (_, index) => line(index + 1)).join('\n');

describe('attemptsIn', () => {
  it.each([
    ['PostgreSQL is not ready (attempt 3/30), next in 2 s', [3]],
    ['Attempt 7 of 30: connection refused', [7]],
    ['[12/30] waiting for database', [12]],
    ['retry #4', [4]],
    ['try 5', [5]],
    ['attempt 1/30\nattempt 1/30 failed: refused\nattempt 2/30', [1, 2]],
    ['2026-11-21 12:30:00 connected to port 5432 after 3 s', []],
    ['', []],
  ])('%j', (log, numbers) => {
    expect(attemptsIn(log)).toEqual(numbers);
  });
});

describe('gaveUpAfterAllAttempts', () => {
  it.each([
    ['30 attempts', attempts(30), true, '30 attempts'],
    ['one too few', attempts(29), false, '29 attempts, the last has number 29'],
    ['one too many', attempts(31), false, '31 attempts, the last has number 31'],
    ['starting over', `${attempts(30)}\n${attempts(2)}`, false, '32 attempts, the last has number 2'],
    ['none counted', 'connection refused', false, 'the log counts no attempts'],
  ])('%s', (_what, log, ok, actual) => {
    expect(gaveUpAfterAllAttempts(log)).toMatchObject({ ok, actual });
  });
});

describe('namesCause', () => {
  it.each<[keyof typeof CAUSES, string]>([
    ['unreachable', 'ConnectionRefusedError: [Errno 111] Connect call failed'],
    ['unreachable', 'database is not accessible: check DATABASE_URL'],
    ['unreachable', 'TimeoutError: timed out'],
    ['unreachable', 'attempt 3/30 failed: no answer in time'],
    ['password', 'FATAL: password authentication failed for user "toolregistry"'],
    ['extension', 'ERROR: extension "vector" is not available'],
    ['extension', 'pgvector extension missing'],
  ])('%s: %s', (cause, line) => {
    expect(namesCause(`start\n${line}\nend`, CAUSES[cause], cause)).toMatchObject({
      ok: true,
      actual: line,
    });
  });

  it('shows the end of a log without the cause', () => {
    expect(namesCause('start\nfailed\n', CAUSES.password, 'the password')).toMatchObject({
      ok: false,
      actual: 'no such line',
      details: ['log: start', 'log: failed'],
    });
  });
});

describe('upgradesIn', () => {
  it('finds the log lines of alembic', () => {
    const log = [
      'INFO  [alembic.runtime.migration] Will assume transactional DDL.',
      'INFO  [alembic.runtime.migration] Running upgrade  -> 0001, tools',
      'INFO  [alembic.runtime.migration] Running upgrade 0001 -> 0002, executions',
    ].join('\n');
    expect(upgradesIn(log)).toEqual(['-> 0001, tools', '0001 -> 0002, executions']);
  });
});
