import { readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { InfrastructureError, InterruptedError, UsageError } from '../../harness/core/errors.ts';
import type { FakeMachine } from '../../harness/testing/fake-programs.ts';
import { fakeMachine } from '../../harness/testing/fake-programs.ts';
import type { NodeImage, NodeImageOptions } from './node-image.ts';
import { ensureNodeImage } from './node-image.ts';
import { readRecipe } from './recipe.ts';

/** An engine with the base system and the images listed in $STATE/images. */
const DOCKER = `
has() { grep -qxF "$1" "$STATE/images" 2>/dev/null; }
case "$1 $2" in
  "info --format") cat "$STATE/cgroup" ;;
  "image inspect")
    for ref; do :; done
    case "$*" in *Entrypoint*) echo 'ENTRYPOINT ["/kind/bin/prepare-node"]'; exit 0 ;; esac
    case "$ref" in kindproof/debian:*) exit 0 ;; esac
    has "$ref" && echo "sha256:of-$ref" ;;
  "pull "*)
    test -e "$STATE/pull-error" && cat "$STATE/pull-error" >&2 && exit 1
    test -e "$STATE/registry" && echo "Pulling" && echo "$2" >> "$STATE/images" ;;
  "buildx build")
    test -e "$STATE/hangs" && touch "$STATE/building" && exec sleep 60
    test -e "$STATE/broken" || exit 0
    echo ' > [coredns 1/1] RUN go-build github.com/coredns/coredns:' >&2
    echo 'no such module' >&2
    cat "$STATE/broken" >&2
    exit 1 ;;
  "commit "*) for ref; do :; done; echo "$ref" >> "$STATE/images" ;;
esac`;

let machine: FakeMachine;
let recipe: Awaited<ReturnType<typeof readRecipe>>;
const progress: string[] = [];

beforeEach(async () => {
  recipe = await readRecipe();
  machine = await fakeMachine();
  progress.length = 0;
  // A build would leave its folders here.
  vi.stubEnv('TMPDIR', join(machine.folder, 'tmp'));
  await machine.file('tmp/.keep', '');
  await machine.file('cgroup', '2\n');
  await machine.program('docker', DOCKER);
  await machine.program('apt-get', 'echo bookworm main http://mirror.example/debian');
});

afterEach(async () => {
  vi.unstubAllEnvs();
  await machine.dispose();
});

async function ensure(options: NodeImageOptions = {}, signal?: AbortSignal): Promise<NodeImage> {
  const env = { SSL_CERT_FILE: join(machine.folder, 'cgroup') };
  return ensureNodeImage(
    { run: machine.run, env, signal },
    { onProgress: (text) => progress.push(text), ...options },
  );
}

async function leftovers(): Promise<string[]> {
  return (await readdir(join(machine.folder, 'tmp'))).filter((name) => name !== '.keep');
}

test('returns the image of an earlier build', async () => {
  await machine.file('images', `${recipe.ref}\n`);
  expect(await ensure()).toEqual({
    ref: recipe.ref,
    digest: `sha256:of-${recipe.ref}`,
    kubernetes: recipe.versions.kubernetes,
  });
  expect((await machine.calls()).join()).not.toMatch(/pull|buildx/);
});

test('pulls the published image where a registry answers', async () => {
  await machine.file('registry', '');
  const { published } = recipe.versions;
  const pulls = async () => (await machine.calls()).filter((call) => call.startsWith('docker pull')).length;
  expect(await ensure()).toMatchObject(published);
  expect(await pulls()).toBe(1);
  expect(await ensure()).toMatchObject(published);
  expect(await pulls()).toBe(1);
});

test.each([
  ['no registry answers', '2\n', false],
  ['the engine has cgroup v1, where the published image does not start', '1\n', true],
])('builds the image when %s', async (_, cgroup, registry) => {
  await machine.file('cgroup', cgroup);
  if (registry) await machine.file('registry', '');
  expect(await ensure()).toMatchObject({ ref: recipe.ref });
  const calls = (await machine.calls()).join('\n');
  expect(calls).toContain('buildx build');
  expect(calls).toMatch(/docker run .*--label kindproof\.dev\/role=image-build/);
  expect(calls).toMatch(
    /docker commit --change ENTRYPOINT \["\/kind\/bin\/prepare-node"\] --change CMD \[\] \S+ kindproof\/node:/,
  );
  expect(calls).toMatch(/docker rm --force --volumes kindproof-/);
  expect(await leftovers()).toEqual([]);
});

test.each([
  ['manifest unknown', 'a mirror does not have it'],
  ['dial tcp: lookup registry-1.docker.io: no such host', 'no registry is there'],
])('builds the image after "%s": %s', async (message) => {
  await machine.file('pull-error', `Error response from daemon: ${message}\n`);
  expect(await ensure()).toMatchObject({ ref: recipe.ref });
  expect(progress.join('\n')).toContain(`not pulled: ${message}; building the node image from packages`);
});

test.each([
  ['no basic auth credentials', 'E_IMAGE_REFUSED'],
  [`manifest verification failed for digest sha256:${'a'.repeat(64)}`, 'E_IMAGE_CORRUPT'],
])('does not hide "%s" with a build', async (message, code) => {
  await machine.file('pull-error', `Error response from daemon: ${message}\n`);
  await expect(ensure()).rejects.toMatchObject({
    code,
    exitCode: 3,
    message: expect.stringContaining(message) as string,
    hint: expect.stringContaining(`--kubernetes ${recipe.versions.kubernetes}`) as string,
  });
  expect((await machine.calls()).join()).not.toContain('buildx');
});

test('does not pass mirrors as build arguments, which would be in the history of the image', async () => {
  await machine.file('cgroup', '1\n');
  await ensure();
  const builds = (await machine.calls()).filter((call) => call.includes('buildx build'));
  expect(builds).toHaveLength(2);
  expect(builds.join()).not.toContain('mirror.example');
});

test('names a failed stage, reports its output, and cleans up', async () => {
  await machine.file('cgroup', '1\n');
  await machine.file('broken', '');
  const failure = await ensure().catch((error: unknown) => error);
  expect(failure).toBeInstanceOf(InfrastructureError);
  expect(failure).toMatchObject({
    code: 'E_NODE_IMAGE_BUILD',
    message: expect.stringContaining('coredns') as string,
    details: { stage: 'coredns', tail: expect.stringContaining('no such module') as string },
  });
  expect(await leftovers()).toEqual([]);
});

test.each(['#24 3.456 ', '3.456 '])('shows the reason that go-build gives after "%s"', async (prefix) => {
  await machine.file('cgroup', '1\n');
  await machine.file('broken', `${prefix}go-build: coredns: go.sum lacks a checksum\n`);
  await expect(ensure()).rejects.toMatchObject({
    message: 'the node image could not be built: coredns: go.sum lacks a checksum',
    details: { stage: 'coredns' },
  });
});

test('cleans up after an interrupt', async () => {
  await machine.file('cgroup', '1\n');
  await machine.file('hangs', '');
  const interrupt = new AbortController();
  const build = ensure({}, interrupt.signal);
  await vi.waitFor(async () => {
    expect(await readdir(machine.folder)).toContain('building');
  }, 5000);
  interrupt.abort();
  await expect(build).rejects.toBeInstanceOf(InterruptedError);
  expect(await leftovers()).toEqual([]);
  expect((await machine.calls()).at(-1)).toMatch(/^docker image rm kindproof\/node-rootfs:/);
});

test('names the setting for a mirror on a machine without one', async () => {
  await machine.file('cgroup', '1\n');
  await writeFile(join(machine.bin, 'apt-get'), '#!/bin/sh\necho noble main http://mirror.example/ubuntu\n');
  await expect(ensure()).rejects.toMatchObject({
    code: 'E_PACKAGE_SOURCES',
    hint: expect.stringContaining('KINDPROOF_DEBIAN_MIRROR') as string,
  });
});

test('rejects a Kubernetes version without an image', async () => {
  await machine.file('cgroup', '1\n');
  await expect(ensure({ kubernetes: 'v1.20.0' })).rejects.toBeInstanceOf(UsageError);
});
