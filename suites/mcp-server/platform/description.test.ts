import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { UsageError } from '../../../harness/core/errors.ts';
import { filled, readDescription, validatePlatform } from './description.ts';

const WHARF = fileURLToPath(new URL('../../../fixtures/platforms/wharf/platform.yaml', import.meta.url));

const SMALLEST = `
name: any
program: [node, ./any.mjs]
operations:
  deploy: { run: [deploy, '{name}', '{entry}'] }
  status:
    run: [status, '{name}']
    read: { phase: $.phase, wanted: $.wanted, ready: $.ready }
  delete: { run: [delete, '{name}'] }
`;

async function fileWith(text: string): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'kp-unit-platform-'));
  onTestFinished(() => rm(folder, { recursive: true }));
  await writeFile(join(folder, 'any.mjs'), '');
  await writeFile(join(folder, 'platform.yaml'), text);
  return join(folder, 'platform.yaml');
}

describe('readDescription', () => {
  it('reads the smallest one', async () => {
    const { operations, absent, limitSeconds, phases } = await readDescription(await fileWith(SMALLEST));
    expect(Object.keys(operations).toSorted()).toEqual(['delete', 'deploy', 'status']);
    expect(operations.deploy).toMatchObject({ run: ['deploy', '{name}', '{entry}'], exit: [0] });
    expect({ absent, limitSeconds, running: phases.running }).toEqual({
      absent: [],
      limitSeconds: 300,
      running: ['running'],
    });
  });

  it.each([
    ['no operations', '\noperations:[\\s\\S]*', '\n', /operations: /, /deploy, status and delete/],
    [
      'an operation that does not exist',
      'delete: ',
      'delte: ',
      /Unrecognized key: "delte"/,
      /"delete" in place/,
    ],
    [
      'a misspelled placeholder',
      '{entry}',
      '{entyr}',
      /deploy\.run: \{entyr\} .* did you mean \{entry\}\?/,
      /./,
    ],
    [
      'a placeholder of another operation',
      '{entry}',
      '{replicas}',
      /\{replicas\} is no placeholder here/,
      /./,
    ],
    ['a wrong path', '\\$\\.ready', 'ready', /read\.ready: ready is no path/, /./],
    [
      'a script that is not there',
      './any.mjs',
      './none.mjs',
      /no file \.\/none\.mjs/,
      /relative to the description/,
    ],
    [
      'a program that is not on PATH',
      '\\[node',
      '[kp-of-nobody',
      /kp-of-nobody is not on PATH/,
      /Install kp-of-nobody/,
    ],
    [
      'an unknown part',
      "'{entry}'\\] }",
      "'{entry}'], with: { volumes: [x] } }",
      /deploy\.with: .*volumes/,
      /./,
    ],
    ['no YAML', 'name: any', 'name: [any', /platform\.yaml:\d+:\d+ describes no platform/, /indentation/],
  ])('refuses %s', async (_title, search, by, message, hint) => {
    const text = SMALLEST.replace(new RegExp(search), by);
    const refused = await readDescription(await fileWith(text)).catch((error: unknown) => error);
    expect(refused).toBeInstanceOf(UsageError);
    expect((refused as UsageError).message).toMatch(message);
    expect((refused as UsageError).hint).toMatch(hint);
  });

  it('reads rights as rules of a Role', async () => {
    const rule = "{ apiGroups: [''], resources: [pods], verbs: [get] }";
    const { rights } = await readDescription(await fileWith(`${SMALLEST}rights: [${rule}]\n`));
    expect(rights).toEqual([{ apiGroups: [''], resources: ['pods'], verbs: ['get'] }]);
    const wrong = fileWith(`${SMALLEST}rights: [{ resources: [pods], verbs: [get] }]\n`);
    await expect(readDescription(await wrong)).rejects.toThrow(/rights\.0\.apiGroups/);
  });

  it('refuses a file that does not exist', async () => {
    await expect(readDescription('/nowhere/platform.yaml')).rejects.toThrow('cannot be read');
  });
});

describe('validatePlatform', () => {
  it('names the description and its programs', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'kp-unit-path-'));
    onTestFinished(() => rm(folder, { recursive: true }));
    // This machine may have no Python.
    await writeFile(join(folder, 'python3'), '');
    vi.stubEnv('PATH', folder);
    onTestFinished(() => void vi.unstubAllEnvs());
    const { name, files } = await validatePlatform(WHARF);
    expect(name).toBe('wharf');
    expect(files.map((file) => file.split('/').at(-1))).toEqual(['platform.yaml', 'wharf.py']);
  });
});

describe('filled', () => {
  it('fills in what it knows, and leaves other braces alone', () => {
    expect(filled(['--n={name}', '{{.Values.a}}', '{"a":1}'], { name: 'x' })).toEqual([
      '--n=x',
      '{{.Values.a}}',
      '{"a":1}',
    ]);
  });
});
