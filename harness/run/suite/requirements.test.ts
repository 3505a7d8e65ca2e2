import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { messageOf } from '../../core/errors.ts';
import { loadRequirements } from './requirements.ts';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'kp-unit-requirements-'));
});
afterAll(() => rm(folder, { recursive: true }));

async function load(text: string) {
  const file = join(folder, 'requirements.yaml');
  await writeFile(file, text);
  return loadRequirements(file);
}
const entry = (id: string, more = '') =>
  `- { id: ${id}, source: s, requirement: r, check: c, kind: [S, L]${more} }\n`;

describe('loadRequirements', () => {
  it('reads rows with level, decision and notApplicable', async () => {
    expect(
      await load(entry('T-01') + entry('K-02', ', level: advice, decision: d, notApplicable: n')),
    ).toEqual([
      { id: 'T-01', source: 's', requirement: 'r', check: 'c', kind: ['S', 'L'] },
      {
        id: 'K-02',
        source: 's',
        requirement: 'r',
        check: 'c',
        kind: ['S', 'L'],
        level: 'advice',
        decision: 'd',
        notApplicable: 'n',
      },
    ]);
  });

  it.each([
    ['no list', 'a: 1', /array/],
    ['an empty file', '', /array/],
    ['no YAML', '- [', /cannot be read: /],
    ['an invalid id', entry('toolman-1'), /\[0\]\.id/],
    ['an unknown kind', '- { id: T-1, source: s, requirement: r, check: c, kind: [Q] }', /\[0\]\.kind/],
    ['a missing field', '- { id: T-1, source: s, requirement: r, kind: [S] }', /\[0\]\.check/],
    ['a misspelt field', entry('T-1', ', notAplicable: x'), /notAplicable/],
    ['a duplicate row', entry('T-1') + entry('T-2') + entry('T-1'), /duplicate id T-1/],
  ])('rejects %s, naming the file', async (_, text, why) => {
    const loading = load(text);
    await expect(loading).rejects.toThrow(/requirements\.yaml: /);
    await expect(loading).rejects.toMatchObject({ code: 'E_REQUIREMENTS', exitCode: 2 });
    const error: unknown = await loading.catch((thrown: unknown) => thrown);
    expect(messageOf(error)).toMatch(why);
  });

  it('rejects a missing file', async () => {
    await expect(loadRequirements(join(folder, 'none.yaml'))).rejects.toMatchObject({
      code: 'E_REQUIREMENTS',
    });
  });
});
