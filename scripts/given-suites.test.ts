import { execFile } from 'node:child_process';
import { cp, mkdir, mkdtemp, readFile, realpath, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { projectRoot } from './project.ts';

const EXAMPLE = 'docs/own-suite/suite.ts';
// Whole processes, possibly on a busy machine.
const PATIENT = { timeout: 120_000 };

let folder: string;

beforeAll(async () => {
  folder = await realpath(await mkdtemp(join(tmpdir(), 'kp-unit-suite-')));
  const chart = join('fixtures', 'charts', 'parcelboard');
  await cp(join(projectRoot, chart), join(folder, chart), { recursive: true });
  await write(EXAMPLE, await documented());
});
afterAll(() => rm(folder, { recursive: true }));

/** The code block of the document. */
async function documented(): Promise<string> {
  const text = await readFile(join(projectRoot, 'docs', 'writing-a-suite.md'), 'utf8');
  return /```ts\n(.*?)```/s.exec(text)?.[1] ?? '';
}

async function write(name: string, text: string): Promise<void> {
  await mkdir(dirname(join(folder, name)), { recursive: true });
  await writeFile(join(folder, name), text);
}

/** Runs the real command in a process of its own, in the folder. */
async function e2e(...args: string[]): Promise<{ code: number; out: string }> {
  const command = [join(projectRoot, 'scripts', 'run.mjs'), 'e2e', ...args];
  try {
    const { stdout } = await promisify(execFile)(process.execPath, command, { cwd: folder });
    return { code: 0, out: stdout };
  } catch (error) {
    const { code, stdout, stderr } = error as { code: number; stdout: string; stderr: string };
    return { code, out: stdout + stderr };
  }
}

describe('a suite outside of the project', () => {
  it('is written in less than 60 lines, the same in the document and in the file that is type-checked', async () => {
    const code = await documented();
    expect(code.split('\n').length).toBeLessThan(60);
    expect(code).toBe(await readFile(join(projectRoot, EXAMPLE), 'utf8'));
  });

  it('is planned with its own checks, and those that every suite has', PATIENT, async () => {
    const { code, out } = await e2e('--suite', EXAMPLE, '--prove', '--checks', '--dry-run', '--json');
    expect({ code, out }).toMatchObject({ code: 0 });
    expect(JSON.parse(out)).toMatchObject({
      topology: { groups: [{ name: 'worker', count: 2 }] },
      suites: [
        {
          suite: 'parcelboard',
          subject: { chart: join(folder, 'fixtures/charts/parcelboard') },
          faults: ['board-alone', 'board-title-fixed'],
          checks: expect.arrayContaining(
            ['PB-1', 'PB-2', 'PB-3', 'X-13', 'X-22', 'X-18'].map((id) => `parcelboard/${id}`),
          ),
        },
      ],
    });
  });

  it('has its requirements in the list, one of them covered by a shared check', PATIENT, async () => {
    const { out } = await e2e('--suite', 'docs/own-suite', '--list');
    expect(out).toMatch(/^PB-1 +parcelboard +covered/m);
    expect(out).toMatch(/^PB-2 +parcelboard +uncovered \(no fault\)/m);
    expect(out).toMatch(/^PB-4 +parcelboard +uncovered \(no fault\)/m);
  });

  it('is compiled again after a change of a file beside it', PATIENT, async () => {
    const text = `import { defineSuite } from 'kindproof';
import { rows } from './rows.ts';
export default defineSuite({ name: 'mine', chart: '.', requirements: rows, checks: () => {} });`;
    await write('mine/suite.ts', text);
    for (const id of ['MI-1', 'MI-2']) {
      await write('mine/rows.ts', `export const rows = [{ id: '${id}', requirement: 'is mine' }];`);
      expect((await e2e('--suite', './mine', '--list')).out).toContain(`${id}   mine`);
    }
  });

  it('runs a shared check with releases of its own when a requirement names it', PATIENT, async () => {
    const plan = async (checkedBy: string): Promise<string> => {
      const row = `{ id: 'UN-1', requirement: 'leaves nothing', checkedBy: '${checkedBy}' }`;
      await write(
        'un/suite.ts',
        `export default { name: 'un', chart: '.', requirements: [${row}], checks() {} };`,
      );
      return (await e2e('--suite', './un', '--dry-run')).out;
    };
    expect(await plan('X-06')).toMatch(/^checks: .*un\/X-06/m);
    expect(await plan('X-13')).not.toContain('un/X-06');
    expect(await plan('X-99')).toMatch(/checkedBy \(E_SUITE\)/);
  });

  it.each([
    ['the file does not exist', './none', undefined, /there is no file .*none/],
    ['it cannot be compiled', './broken.ts', 'export default ;', /broken\.ts:1:\d+/],
    ['it is no suite', './empty.ts', 'export default {};', /E_SUITE.*requirements/s],
    [
      'its name is taken',
      './taken.ts',
      `export default { name: 'toolman', chart: '.', requirements: [{ id: 'A-1', requirement: '' }], checks() {} };`,
      /there is another suite toolman/,
    ],
  ])('is refused as wrong usage when %s', PATIENT, async (_, path, text, message) => {
    if (text !== undefined) await write(path, text);
    const { code, out } = await e2e('--suite', path, '--dry-run');
    expect(out).toMatch(message);
    expect(code).toBe(2);
  });
});
