import { chmod, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { CommandError, createCommandRunner, type CommandOptions } from './command.ts';
import { InterruptedError } from './errors.ts';

let folder: string;
const runner = createCommandRunner({ killAfterMs: 100 });

/** Shell scripts in a folder that is first on PATH. */
const PROGRAMS = {
  greet: 'echo "hello $1 from $PLACE"',
  fails: 'seq 1 30; echo "cannot do it" >&2; exit 7',
  quiet: 'echo "only on stdout"; exit 1',
  stubborn: 'trap "" TERM; echo started; while :; do sleep 0.05; done',
  // The background process keeps the pipe open.
  forks: 'sleep 60 & echo $! >"$0.pid"; echo forked; exit 0',
  forkhang: 'sleep 60 & echo $! >"$0.pid"; echo forked; wait',
  copies: 'cat',
  lines: 'echo one; echo two; echo three >&2; printf four',
  floods: 'i=0; while [ $i -lt 4000 ]; do printf "%01000d\\n" $i; i=$((i+1)); done',
  shot: 'kill -9 $$',
};

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'kp-unit-command-'));
  for (const [name, script] of Object.entries(PROGRAMS)) {
    await writeFile(join(folder, name), `#!/bin/sh\n${script}\n`);
    await chmod(join(folder, name), 0o755);
  }
  await writeFile(join(folder, 'plain'), 'not executable');
});
afterAll(async () => {
  for (const name of ['forks', 'forkhang']) {
    const pid = await readFile(join(folder, `${name}.pid`), 'utf8').catch(() => '');
    // It may have exited already.
    if (pid !== '') await runner.run('sh', ['-c', `kill ${pid.trim()} 2>/dev/null || true`]);
  }
  await rm(folder, { recursive: true });
});

const run = (file: string, args: string[] = [], options: CommandOptions = {}) =>
  runner.run(file, args, {
    ...options,
    env: { PATH: `${folder}:${process.env['PATH'] ?? ''}`, ...options.env },
  });

const failureOf = async (promise: Promise<unknown>): Promise<CommandError> => {
  const error: unknown = await promise.then(
    () => new Error('the command succeeded'),
    (thrown: unknown) => thrown,
  );
  expect(error).toBeInstanceOf(CommandError);
  return error as CommandError;
};

describe('a successful command', () => {
  it('returns output and exit code', async () => {
    const result = await run('greet', ['a b'], { env: { PLACE: 'here' } });
    expect(result).toMatchObject({
      exitCode: 0,
      stdout: 'hello a b from here\n',
      stderr: '',
      command: "greet 'a b'",
    });
  });

  it('reads the given input, by default an empty one', async () => {
    expect((await run('copies', [], { input: 'text' })).stdout).toBe('text');
    expect((await run('copies')).stdout).toBe('');
  });

  it('passes on every line before it returns, also a last line without a newline', async () => {
    const lines: string[] = [];
    await run('lines', [], { onLine: (line, stream) => lines.push(`${stream} ${line}`) });
    expect(lines.toSorted()).toEqual(['stderr three', 'stdout four', 'stdout one', 'stdout two']);
  });

  it('returns large output completely', async () => {
    expect((await run('floods')).stdout).toHaveLength(4000 * 1001);
  });

  it('returns although a background process keeps its output open', async () => {
    expect(await run('forks')).toMatchObject({ exitCode: 0, stdout: 'forked\n' });
  });

  it('returns a command line that can be pasted into a shell', async () => {
    const { command } = await run('copies', ['--version', "it's", ''], { reject: false });
    expect(command).toBe(`copies --version 'it'\\''s' ''`);
  });
});

describe('a failed command', () => {
  it('throws with exit code and the last lines of stderr', async () => {
    const error = await failureOf(run('fails', [], { hint: 'Do this.' }));
    expect(error.message).toMatch(/^`fails` exited with 7 after \d+ ms\ncannot do it$/);
    expect(error).toMatchObject({
      code: 'E_COMMAND',
      exitCode: 3,
      hint: 'Do this.',
      result: { exitCode: 7 },
    });
  });

  it('throws with stdout when stderr is empty', async () => {
    expect((await failureOf(run('quiet'))).message).toContain('\nonly on stdout');
  });

  it('does not throw with reject: false', async () => {
    expect(await run('fails', [], { reject: false })).toMatchObject({
      exitCode: 7,
      stderr: 'cannot do it\n',
    });
  });

  it.each([
    ['nothing-like-this', {}, 'was not found on PATH'],
    ['greet', { cwd: '/no/such/folder' }, 'could not start: folder /no/such/folder does not exist'],
    ['shot', {}, 'was terminated by SIGKILL'],
  ])('throws also with reject: false: %s %o %s', async (file, options, why) => {
    const error = await failureOf(run(file, [], { ...options, reject: false }));
    expect(error.message).toBe(`\`${file}\` ${why}`);
  });

  it('reports a file that is not executable', async () => {
    expect((await failureOf(run(join(folder, 'plain')))).message).toContain('EACCES');
  });
});

describe('a timeout', () => {
  it.each(['stubborn', 'forkhang'])('terminates %s', async (file) => {
    const error = await failureOf(run(file, [], { timeoutMs: 300 }));
    expect(error.message).toMatch(/did not end within 0\.3 s(\n(started|forked))?$/);
  });
});

describe('an interruption', () => {
  it('prevents later commands from starting', async () => {
    const signal = AbortSignal.abort(new InterruptedError('by hand'));
    await expect(run('greet', [], { signal })).rejects.toThrow('by hand');
  });

  it.each(['stubborn', 'forkhang'])('terminates a running command: %s', async (file) => {
    const controller = new AbortController();
    const running = run(file, [], {
      signal: controller.signal,
      onLine: () => {
        controller.abort();
      },
    });
    await expect(running).rejects.toBeInstanceOf(InterruptedError);
  });

  it("terminates running commands by the runner's signal", async () => {
    const controller = new AbortController();
    const bound = createCommandRunner({ signal: controller.signal, killAfterMs: 100 });
    const running = bound.run(join(folder, 'stubborn'), [], {
      onLine: () => {
        controller.abort();
      },
    });
    await expect(running).rejects.toBeInstanceOf(InterruptedError);
  });
});
