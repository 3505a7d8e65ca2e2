import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { createFileLog } from './log.ts';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'kp-unit-log-'));
});
afterAll(() => rm(folder, { recursive: true }));

it('creates the folder and writes each line immediately', async () => {
  const file = join(folder, 'new', 'run.jsonl');
  const log = createFileLog(file, { suite: 'toolman' });
  log.info('phase ended', { name: 'checks' });
  log.error('run failed');
  const lines = (await readFile(file, 'utf8'))
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as unknown);
  expect(lines).toMatchObject([
    { level: 30, suite: 'toolman', name: 'checks', msg: 'phase ended' },
    { level: 50, suite: 'toolman', msg: 'run failed' },
  ]);
});

it('redacts every line before it is written', async () => {
  const file = join(folder, 'redacted.jsonl');
  createFileLog(file, {}, (line) => line.replaceAll('hunter22', '•••')).info('ran hunter22', {
    args: ['hunter22'],
  });
  const text = await readFile(file, 'utf8');
  expect(text).not.toContain('hunter22');
  expect(JSON.parse(text)).toMatchObject({ msg: 'ran •••', args: ['•••'] });
});

// Writing to /dev/full fails with ENOSPC, like a full disk.
it.each([
  ['on a full disk', () => '/dev/full'],
  ['where no file can be created', () => join(folder, 'blocked', 'run.jsonl')],
  ['when redacting fails', () => join(folder, 'unredacted.jsonl')],
])('never throws: %s', async (_, file) => {
  await writeFile(join(folder, 'blocked'), '');
  const redact = (): string => {
    throw new Error('a bug');
  };
  const log = createFileLog(file(), {}, file().includes('unredacted') ? redact : undefined);
  for (const level of ['debug', 'info', 'warn', 'error'] as const) {
    expect(() => log[level]('undo', { title: 'delete cluster' })).not.toThrow();
  }
});
