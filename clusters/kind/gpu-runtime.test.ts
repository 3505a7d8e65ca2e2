import { execFile } from 'node:child_process';
import { chmod, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

const execute = promisify(execFile);

let folder: string;
let bundle: string;

/** The script with a temporary GPU folder, and a runc that prints its arguments. */
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'kindproof-gpu-runtime-'));
  bundle = join(folder, 'bundle');
  const gpus = join(folder, 'gpus');
  for (const path of [bundle, gpus]) await mkdir(path);
  const script = await readFile(new URL('./gpu-runtime.sh', import.meta.url), 'utf8');
  await writeFile(join(folder, 'runtime'), script.replace('/etc/kindproof/gpus', gpus));
  await writeFile(join(folder, 'runc'), '#!/bin/sh\necho "$@"\n');
  for (const program of ['runtime', 'runc']) await chmod(join(folder, program), 0o755);
  for (const index of [0, 1]) await writeFile(join(gpus, `nvidia${index}`), `GPU-worker-${index}\n`);
});
afterEach(() => rm(folder, { recursive: true }));

const hasJq = await execute('jq', ['--version']).then(
  () => true,
  () => false,
);

async function runtime(args: readonly string[]): Promise<string> {
  const env = { ...process.env, PATH: `${folder}:${process.env['PATH'] ?? ''}` };
  return (await execute(join(folder, 'runtime'), args, { env })).stdout.trim();
}

async function mountsFor(env: readonly string[], command = ['create', '--bundle', bundle, 'id']) {
  await writeFile(
    join(bundle, 'config.json'),
    JSON.stringify({ process: { env }, mounts: [{ destination: '/proc' }] }),
  );
  await runtime(['--root', '/r', '--log', join(folder, 'log'), ...command]);
  const config = JSON.parse(await readFile(join(bundle, 'config.json'), 'utf8')) as {
    mounts: { destination: string }[];
  };
  return config.mounts.map(({ destination }) => destination);
}

describe.skipIf(!hasJq)('the stand-in for the NVIDIA runtime', () => {
  it.each([
    ['all of them', ['NVIDIA_VISIBLE_DEVICES=all'], ['/dev/nvidia0', '/dev/nvidia1']],
    ['one by its index', ['NVIDIA_VISIBLE_DEVICES=1'], ['/dev/nvidia1']],
    ['one by its name', ['NVIDIA_VISIBLE_DEVICES=GPU-worker-0,GPU-other-1'], ['/dev/nvidia0']],
    ['none', ['NVIDIA_VISIBLE_DEVICES=none'], []],
    ['none with the last value', ['NVIDIA_VISIBLE_DEVICES=all', 'NVIDIA_VISIBLE_DEVICES=void'], []],
    ['nothing', ['PATH=/bin'], []],
  ])('gives a container that asks for %s', async (_, env, expected) => {
    expect(await mountsFor(env)).toEqual(['/proc', ...expected]);
  });

  it('accepts --bundle=PATH', async () => {
    expect(await mountsFor(['NVIDIA_VISIBLE_DEVICES=0'], ['create', `--bundle=${bundle}`, 'id'])).toContain(
      '/dev/nvidia0',
    );
  });

  it('passes other commands and their arguments to runc', async () => {
    expect(await runtime(['--root', '/r', 'exec', '--process', 'a b', 'id'])).toBe(
      '--root /r exec --process a b id',
    );
  });

  it('logs why it failed', async () => {
    const log = join(folder, 'log');
    await expect(runtime(['--log', log, 'create', '--bundle', '/nowhere', 'id'])).rejects.toThrow();
    expect(JSON.parse(await readFile(log, 'utf8'))).toMatchObject({ level: 'error' });
  });
});
