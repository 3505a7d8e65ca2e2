import { mkdir, readdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { expect, it } from 'vitest';
import { temporaryFolder } from '../../testing/temporary-folder.ts';
import { readList, writeList } from './check-list.ts';

const checks = [
  { id: 's/T-01', suite: 's', file: 'a.e2e.ts', title: 'is ready', requirements: ['T-01'], tags: ['live'] },
];

async function compiled(): Promise<string> {
  const file = join(await temporaryFolder(), 'node_modules/.cache/kindproof/0123/suites/checks.e2e.mjs');
  await mkdir(dirname(file), { recursive: true });
  return file;
}

it('a list is kept beside the compiled code of its suite', async () => {
  const file = await compiled();
  expect(await readList(file, 's')).toBeUndefined();
  await writeList(file, 's', checks);
  expect(await readList(file, 's')).toEqual(checks);
  expect(await readList(file, 'other')).toBeUndefined();
  expect(await readdir(dirname(file))).toEqual(['s.checks.json']);
});

it.each(['', '[{"id":"s/T-01"', '[{"id":"s/T-01"}]'])('a damaged list is no list: %j', async (text) => {
  const file = await compiled();
  await writeFile(join(dirname(file), 's.checks.json'), text);
  expect(await readList(file, 's')).toBeUndefined();
});

it('sources have no list: they change in place', async () => {
  const file = join(await temporaryFolder(), 'checks.e2e.ts');
  await writeList(file, 's', checks);
  expect(await readdir(dirname(file))).toEqual([]);
  expect(await readList(file, 's')).toBeUndefined();
});
