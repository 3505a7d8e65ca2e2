import { cp, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { readRecipe } from './recipe.ts';

let dir: string;

beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'kindproof-recipe-'));
  await cp(fileURLToPath(new URL('.', import.meta.url)), dir, { recursive: true });
});

afterEach(async () => rm(dir, { recursive: true, force: true }));

test('names the image after Kubernetes and the content', async () => {
  const recipe = await readRecipe(dir);
  expect(recipe.ref).toMatch(/^kindproof\/node:v\d+\.\d+\.\d+-[0-9a-f]{12}$/);
  expect(recipe.ref).toBe((await readRecipe()).ref);
});

test.each(['Dockerfile', 'build/pause.c', 'manifests/another.yaml'])(
  'a changed %s is another image',
  async (file) => {
    const before = await readRecipe(dir);
    await writeFile(join(dir, file), 'changed');
    expect((await readRecipe(dir)).ref).not.toBe(before.ref);
  },
);

test.each(['README.md', 'node-image.ts'])('a changed %s is the same image', async (file) => {
  const before = await readRecipe(dir);
  await writeFile(join(dir, file), 'changed');
  expect((await readRecipe(dir)).ref).toBe(before.ref);
});
