import { mkdir, mkdtemp, readdir, rm, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

const file = new URL('compile.mjs', import.meta.url).href;
const { compile } = (await import(/* @vite-ignore */ file)) as { compile: (root: string) => Promise<string> };

let root: string;

beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'kindproof-compile-'));
  await write('package-lock.json', '{}');
  await write('scripts/compile.mjs', '');
  for (const folder of ['harness/core', 'clusters', 'fixtures', 'suites']) {
    await mkdir(join(root, folder), { recursive: true });
  }
  await write('harness/core/greeting.ts', `export const greeting: string = 'hello';`);
  await write(
    'scripts/greet.ts',
    `import { greeting } from '../harness/core/greeting.ts';
export const here = import.meta.url;
export const text = "import.meta.url";
export const main = async (): Promise<string> => greeting + (await import('../harness/core/name.ts')).name;`,
  );
  await write('harness/core/name.ts', `export const name: string = ' you';`);
});
afterEach(() => rm(root, { recursive: true, force: true }));

async function write(name: string, text: string): Promise<void> {
  await mkdir(dirname(join(root, name)), { recursive: true });
  await writeFile(join(root, name), text);
}

const load = (folder: string): Promise<{ here: string; main: () => Promise<string> }> =>
  import(/* @vite-ignore */ pathToFileURL(join(folder, 'scripts', 'greet.mjs')).href) as never;

describe('compile', () => {
  it('makes commands that behave like their sources, and find files beside them', async () => {
    const { here, main } = await load(await compile(root));
    expect(await main()).toBe('hello you');
    expect(here).toBe(pathToFileURL(join(root, 'scripts', 'greet.ts')).href);
  });

  it('compiles the same sources once, and changed sources again', async () => {
    const first = await compile(root);
    await write('scripts/marker.test.ts', 'a test is no part of it');
    expect(await compile(root)).toBe(first);
    await write('harness/core/greeting.ts', `export const greeting: string = 'good morning';`);
    const second = await compile(root);
    expect(second).not.toBe(first);
    expect(await (await load(second)).main()).toBe('good morning you');
  });

  it('is safe to call twice at the same time', async () => {
    const [one, other] = await Promise.all([compile(root), compile(root)]);
    expect(one).toBe(other);
    expect(await readdir(dirname(one))).toEqual([expect.not.stringContaining('.')]);
  });

  it('removes what no command has used for a week', async () => {
    const first = await compile(root);
    const longAgo = new Date(Date.now() - 8 * 24 * 3600 * 1000);
    await utimes(first, longAgo, longAgo);
    await write('harness/core/name.ts', `export const name: string = ' all';`);
    const second = await compile(root);
    expect(await readdir(dirname(first))).toEqual([second.split('/').at(-1)]);
  });

  it('names the place that cannot be compiled, and leaves nothing behind', async () => {
    await write('harness/core/name.ts', `export const name: string = ;`);
    await expect(compile(root)).rejects.toThrow(/harness\/core\/name\.ts:1:/);
    const left = await readdir(join(root, 'node_modules', '.cache', 'kindproof')).catch(() => []);
    expect(left).toEqual([]);
  });
});
