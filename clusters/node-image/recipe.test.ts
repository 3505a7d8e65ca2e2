import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { buildArguments, readRecipe } from './recipe.ts';

let dir: string;

beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'kindproof-recipe-'));
  await cp(fileURLToPath(new URL('.', import.meta.url)), dir, { recursive: true });
});

afterEach(async () => rm(dir, { recursive: true, force: true }));

test('tags the image with the Kubernetes version and the fingerprint', async () => {
  const recipe = await readRecipe(dir);
  expect(recipe.ref).toMatch(/^kindproof\/node:v\d+\.\d+\.\d+-[0-9a-f]{12}$/);
  expect(recipe.ref).toBe((await readRecipe()).ref);
});

test.each([
  'Dockerfile',
  'build/pause.c',
  'manifests/another.yaml',
  'modules/etcd/go.sum',
  'network-policy/agent/main.go',
])('changes the tag for a changed %s', async (file) => {
  const before = await readRecipe(dir);
  await writeFile(join(dir, file), 'changed');
  expect((await readRecipe(dir)).ref).not.toBe(before.ref);
});

test.each(['README.md', 'node-image.ts', 'update-modules', '.gitattributes'])(
  'keeps the tag for a changed %s',
  async (file) => {
    const before = await readRecipe(dir);
    await writeFile(join(dir, file), 'changed');
    expect((await readRecipe(dir)).ref).toBe(before.ref);
  },
);

test.each(['default-cni.yaml', 'default-storage.yaml', 'metrics-server.yaml'])(
  'packs every image of %s, with its version',
  async (manifest) => {
    const read = async (file: string) => readFile(join(dir, file), 'utf8');
    const [text, dockerfile, packed] = await Promise.all(
      [`manifests/${manifest}`, 'Dockerfile', 'build/archive-images'].map(read),
    );
    const images = [...(text ?? '').matchAll(/image: (\S+):(\w+_VERSION)$/gm)];
    expect(images).not.toEqual([]);
    for (const [, name = '', placeholder = ''] of images) {
      expect(packed).toContain(`image "${name}:$${placeholder}"`);
      expect(dockerfile).toContain(`s/${placeholder}/\${${placeholder}}/`);
      expect(Object.keys(buildArguments((await readRecipe(dir)).versions))).toContain(placeholder);
    }
  },
);

test('has every plugin of the CNI chain in the image', async () => {
  const chain = await readFile(join(dir, 'rootfs/etc/containerd/cni.conflist.template'), 'utf8');
  const dockerfile = await readFile(join(dir, 'Dockerfile'), 'utf8');
  const plugins = [...chain.matchAll(/"type": "([\w-]+)"/g)].map(([, name]) => name);
  expect(plugins).toContain('network-policy');
  for (const plugin of plugins) {
    expect(dockerfile).toMatch(new RegExp(`cni/${plugin} |/opt/cni/bin/${plugin}$`, 'm'));
  }
});
