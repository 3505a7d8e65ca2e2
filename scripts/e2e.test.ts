import { spawn } from 'node:child_process';
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { stringify } from 'yaml';

const root = fileURLToPath(new URL('..', import.meta.url)).replace(/\/$/, '');
let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'kp-unit-cli-'));
  const files = {
    'chart/Chart.yaml': 'apiVersion: v2\nname: app\nversion: 0.1.0\n',
    'bad.yaml': 'a: 1\nb: "x\n',
    'unreachable.kubeconfig': kubeconfig(await closedPort()),
    // Records its calls, so that nothing can be created unnoticed.
    'bin/docker': `#!/bin/sh\necho "$*" >>"${folder}/docker-calls"\nexit 1\n`,
  };
  for (const [path, text] of Object.entries(files)) {
    await mkdir(dirname(join(folder, path)), { recursive: true });
    await writeFile(join(folder, path), text, { mode: 0o755 });
  }
});
afterAll(() => rm(folder, { recursive: true }));

/** A local port without a listener. */
async function closedPort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}

function kubeconfig(port: number): string {
  return stringify({
    apiVersion: 'v1',
    kind: 'Config',
    contexts: [{ name: 'staging', context: { cluster: 'c', user: 'u' } }],
    clusters: [{ name: 'c', cluster: { server: `https://127.0.0.1:${port}` } }],
    users: [{ name: 'u', user: { token: 't' } }],
  });
}

interface Ended {
  exitCode: number | null;
  stdout: string;
  stderr: string;
}

/** Runs the real command in a separate process; `@` stands for the folder with the test's files. */
function kindproof(line: string): Promise<Ended> {
  const args = line.split(' ').map((word) => word.replace(/^@/, folder));
  const child = spawn(process.execPath, [join(root, 'scripts', 'run.mjs'), ...args], {
    cwd: root,
    env: { ...process.env, PATH: `${join(folder, 'bin')}:${process.env['PATH'] ?? ''}`, CI: '1' },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const output = { stdout: '', stderr: '' };
  for (const stream of ['stdout', 'stderr'] as const) {
    child[stream].setEncoding('utf8').on('data', (text: string) => (output[stream] += text));
  }
  return new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (exitCode) => {
      resolve({ exitCode, ...output });
    });
  });
}

/** A run first creates its directory; `docker-calls` exists after a call of docker. */
const created = async (): Promise<string[]> => (await readdir(folder)).toSorted();

const CREATED_BY_TEST = ['bad.yaml', 'bin', 'chart', 'unreachable.kubeconfig'];

// Whole processes, possibly on a busy machine.
const PATIENT = { timeout: 60_000 };

describe('wrong usage', PATIENT, () => {
  it.concurrent.each([
    [
      'e2e --suite tolman --out @/out',
      'there is no suite "tolman" (E_UNKNOWN_SUITE)',
      'Did you mean "toolman"?',
    ],
    ['e2e --requirement T-999 --out @/out', 'there is no requirement "T-999"', 'npm run -s e2e -- --list'],
    ['e2e --requirement X-10 --out @/out', 'is about the suites', 'npx vitest run suites/mutation-proof'],
    [
      'e2e --suite toolman --chart @/none --out @/out',
      'there is no chart at',
      'the folder that contains Chart.yaml',
    ],
    ['e2e --suite toolman --values @/bad.yaml --out @/out', 'bad.yaml:', 'Check the indentation and quotes'],
    [
      'e2e --suite toolman --prerequisites @/none.yaml --out @/out',
      'none.yaml does not exist',
      'Give files with manifests',
    ],
    [
      'e2e --suite toolman --cluster existing',
      '--kubeconfig FILE and --context NAME',
      'only when both are given',
    ],
    [
      'e2e --suite toolman --cluster existing --kubeconfig @/none --context staging --out @/out',
      'none cannot be read',
      'name the kubeconfig of a running cluster',
    ],
    [
      'e2e --suite toolman --cluster existing --kubeconfig @/unreachable.kubeconfig --context x --out @/out',
      'has no context x',
      'the file has: staging',
    ],
    [
      'e2e --suite toolman --prove --checks --tags live --out @/out',
      '--tags and --shard choose checks',
      'Choose faults with --requirement',
    ],
    [
      'e2e --requirement T-35 T-46 --tags static --dry-run',
      'no check of requirement "T-46" matches --tags "static"',
      'Change the tags.',
    ],
    ['e2e --list --suite tolman', 'there is no suite "tolman"', 'Did you mean "toolman"?'],
    ['sweep --cluster existing --context staging', '--cluster existing needs --kubeconfig', 'name both'],
    ['sweep --context staging', '--context belong to --cluster existing', 'Add --cluster existing'],
    ['e3e', 'There is no command "e3e".', 'npm run e2e'],
    ['project', 'There is no command "project".', 'npm run e2e'],
  ])('%s', async (line, culprit, hint) => {
    const { exitCode, stdout, stderr } = await kindproof(line);
    expect(stderr).toContain(culprit);
    expect(stderr).toContain(hint);
    // Wrong usage is not a bug, so there is no stack.
    expect(stderr).not.toMatch(/^\s+at /m);
    expect(stdout).toBe('');
    expect(exitCode).toBe(2);
  });

  it('creates nothing', async () => {
    expect(await created()).toEqual(CREATED_BY_TEST);
  });
});

describe('a command that needs no cluster', PATIENT, () => {
  it.concurrent('prints the plan', async () => {
    const { exitCode, stdout } = await kindproof(
      'e2e --suite toolman --chart @/chart --previous @/chart --set db.password=hunter2 --dry-run --json',
    );
    expect(JSON.parse(stdout)).toMatchObject({
      suites: [{ suite: 'toolman', subject: { reference: false, set: ['db.password=•••'] } }],
    });
    expect(exitCode).toBe(0);
  });

  it.concurrent('prints help', async () => {
    const { exitCode, stdout } = await kindproof('e2e --help');
    expect(stdout).toContain('Exit codes: 0 all passed');
    expect(exitCode).toBe(0);
  });

  it('creates nothing', async () => {
    expect(await created()).toEqual(CREATED_BY_TEST);
  });
});

// The client retries for about ten seconds, because an API server may be starting.
describe('an existing cluster that does not answer', PATIENT, () => {
  it('is reported before anything is built', async () => {
    const { exitCode, stdout } = await kindproof(
      'e2e --suite toolman --cluster existing --kubeconfig @/unreachable.kubeconfig --context staging --out @/run',
    );
    expect(stdout).toContain('the cluster of context staging does not answer');
    expect(stdout).toContain('check it: kubectl');
    expect(exitCode).toBe(2);
    expect(await readdir(join(folder, 'run'))).not.toContain('kubeconfig');
    const report = JSON.parse(await readFile(join(folder, 'run', 'report.json'), 'utf8')) as unknown;
    expect(report).toMatchObject({ run: { exitCode: 2, error: { code: 'E_CLUSTER_UNREACHABLE' } } });
    await expect(readFile(join(folder, 'docker-calls'), 'utf8')).rejects.toThrow('ENOENT');
  });
});
