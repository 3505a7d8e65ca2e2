import { spawn } from 'node:child_process';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

const root = fileURLToPath(new URL('..', import.meta.url));

interface Package {
  name: string;
  scripts: Record<string, string>;
}

interface Ended {
  exitCode: number | null;
  stdout: string;
  stderr: string;
}

interface Scenario {
  /** Arguments of interruptSignal. */
  options?: string;
  /** What happens while the command runs. */
  during?: string;
  /** Part of the teardown. */
  teardown?: string;
}

/** A command as a process of its own: it waits for an interruption, takes down, and returns the exit code. */
function command({ options = '', during = '', teardown = '' }: Scenario): string {
  return `
const interrupt = interruptSignal(${options});
const { signal } = interrupt;
const interrupted = new Promise((_, reject) => {
  signal.addEventListener('abort', () => reject(signal.reason));
});
try {
  ${during}
  await interrupted;
} catch (error) {
  ${teardown}
  console.error('took down');
  return reportFailure(error, (text) => process.stderr.write(text));
} finally {
  interrupt.dispose();
}`;
}

/** @param onReady called when the process has printed something */
function run(body: string, onReady: (child: ReturnType<typeof spawn>) => void = () => {}): Promise<Ended> {
  const program = `
import { setTimeout as sleep } from 'node:timers/promises';
import { interruptSignal } from './scripts/interrupt.ts';
import { reportFailure } from './scripts/report-failure.ts';
import { runCommand } from './scripts/run-command.ts';
await runCommand(async () => {${body}
});`;
  const child = spawn(process.execPath, ['--import', 'tsx/esm', '--input-type=module', '--eval', program], {
    cwd: root,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const output = { stdout: '', stderr: '' };
  child.stdout.once('data', () => onReady(child));
  for (const stream of ['stdout', 'stderr'] as const) {
    child[stream].setEncoding('utf8').on('data', (text: string) => (output[stream] += text));
  }
  return new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (exitCode) => resolve({ exitCode, ...output }));
  });
}

/** Keeps the process alive, so that only the scenario can end it. */
const ALIVE = 'setInterval(() => {}, 1000);';

// Whole processes, possibly on a busy machine.
const PATIENT = { timeout: 120_000 };

describe('a command that has something to take down', PATIENT, () => {
  it.concurrent.each<[string, Scenario, number, string]>([
    [
      'an exception that nobody catches',
      { during: `${ALIVE} setTimeout(() => { throw new TypeError('a bug'); });` },
      3,
      'an unexpected error: a bug (E_UNCAUGHT)',
    ],
    [
      'a rejection that nobody handles',
      { during: `${ALIVE} void Promise.reject(new TypeError('a bug'));` },
      3,
      'an unexpected error: a bug (E_UNCAUGHT)',
    ],
    ['work that was lost', { during: '' }, 3, 'nothing is left to wait for'],
    [
      'the end of its time limit',
      { options: '{ timeoutMs: 10 }', during: ALIVE },
      3,
      'did not end within 0.0 s (E_TIME_LIMIT)',
    ],
    ['SIGINT', { during: `${ALIVE} process.kill(process.pid, 'SIGINT');` }, 130, 'interrupted by SIGINT'],
    ['SIGTERM', { during: `${ALIVE} process.kill(process.pid, 'SIGTERM');` }, 130, 'interrupted by SIGTERM'],
    ['SIGHUP', { during: `${ALIVE} process.kill(process.pid, 'SIGHUP');` }, 130, 'interrupted by SIGHUP'],
    [
      'a Ctrl+C that arrives twice, because npm passes it on',
      {
        options: '{ now: () => 0 }',
        during: `${ALIVE} process.kill(process.pid, 'SIGINT'); process.kill(process.pid, 'SIGINT');`,
        teardown: `process.kill(process.pid, 'SIGINT'); await sleep(100);`,
      },
      130,
      'interrupted by SIGINT',
    ],
    [
      'a second failure while it takes down',
      {
        during: `${ALIVE} process.kill(process.pid, 'SIGTERM');`,
        teardown: `void Promise.reject(new Error('a bug of the teardown')); await sleep(100);`,
      },
      130,
      'a bug of the teardown',
    ],
  ])('takes it down after %s', async (_, scenario, exitCode, says) => {
    const ended = await run(command(scenario));
    expect(ended.stderr).toContain('took down');
    expect(ended.stderr).toContain(says);
    expect(ended.exitCode).toBe(exitCode);
  });

  it('ends at once on a second, deliberate signal, and says how to remove the rest', async () => {
    const kill = `process.kill(process.pid, 'SIGINT');`;
    const ended = await run(
      command({
        options: '{ now: (() => { let seconds = 0; return () => 1000 * seconds++; })() }',
        during: `${ALIVE} ${kill}`,
        teardown: `${kill} await new Promise(() => {});`,
      }),
    );
    expect(ended.stderr).not.toContain('took down');
    expect(ended.stderr).toContain('npm run sweep');
    expect(ended.exitCode).toBe(130);
  });
});

describe('npm run', PATIENT, () => {
  let folder: string;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'kp-unit-npm-'));
    await mkdir(join(folder, 'scripts'));
    const stub = `
      process.on('SIGTERM', () => { console.log('took down'); process.exit(130); });
      setTimeout(() => process.exit(1), 60_000);
      console.log('running', ...process.argv.slice(2));`;
    await writeFile(join(folder, 'scripts', 'run.mjs'), stub);
    // The lines of the project, which start the stub here.
    const { name, scripts } = JSON.parse(await readFile(join(root, 'package.json'), 'utf8')) as Package;
    await writeFile(join(folder, 'package.json'), JSON.stringify({ name, scripts }));
  });
  afterAll(() => rm(folder, { recursive: true }));

  it('passes a signal on to the command, and waits for it', async () => {
    const npm = spawn('npm', ['run', '--silent', 'e2e', '--', '--suite', 'toolman'], {
      cwd: folder,
      env: { ...process.env, npm_config_update_notifier: 'false' },
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    let stdout = '';
    npm.stdout.setEncoding('utf8').on('data', (text: string) => {
      if (stdout === '') npm.kill('SIGTERM');
      stdout += text;
    });
    const exitCode = await new Promise((resolve) => npm.on('close', resolve));
    expect(stdout).toBe('running e2e --suite toolman\ntook down\n');
    expect(exitCode).toBe(130);
  });
});

describe('the exit code', PATIENT, () => {
  it.concurrent.each([
    ['of a command that returns one', 'return 2;', 2, ''],
    ['of a command that throws', `throw new TypeError('a bug');`, 3, '✗ a bug'],
    [
      'of an exception before there is something to take down',
      `${ALIVE} setTimeout(() => { throw new TypeError('a bug'); }); await new Promise(() => {});`,
      3,
      '✗ a bug',
    ],
    // A library may set the exit code, or end the process.
    ['of a process that ends too early', 'process.exitCode = 1; await new Promise(() => {});', 3, 'sweep'],
    ['of a process that a library ends', `process.exit(1);`, 3, 'npm run sweep'],
    ['of a process that something keeps alive', `${ALIVE} process.exitCode = 1; return 0;`, 0, ''],
  ])('%s', async (_, body, exitCode, says) => {
    const ended = await run(body);
    expect(ended.stderr).toContain(says);
    expect(ended.exitCode).toBe(exitCode);
  });
});

describe('output that nobody reads any more', PATIENT, () => {
  // As in `npm run e2e | head -1`.
  it.concurrent.each(['stdout', 'stderr'] as const)('does not end a command: %s', async (stream) => {
    const body = command({
      during: `
  const { stdout, ${stream}: broken } = process;
  let failures = 0;
  broken.on('error', () => (failures += 1));
  stdout.write('ready');
  while (failures < 3) {
    broken.write('more');
    await sleep(5);
  }
  return 7;`,
    });
    const ended = await run(body, (child) => child[stream]?.destroy());
    expect(ended.exitCode).toBe(7);
  });
});
