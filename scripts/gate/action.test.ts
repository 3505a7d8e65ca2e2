import { chmod, mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { parse } from 'yaml';
import { z } from 'zod';
import { createCommandRunner } from '../../harness/core/command.ts';
import { temporaryFolder } from '../../harness/testing/temporary-folder.ts';

const ACTION = join(import.meta.dirname, '..', '..', '.github', 'actions', 'gate', 'action.yml');

const schema = z.object({
  inputs: z.record(z.string(), z.object({ default: z.string().optional() })),
  runs: z.object({
    steps: z.array(
      z.object({ run: z.string().optional(), env: z.record(z.string(), z.string()).optional() }),
    ),
  }),
});

/** Runs the step of the action as GitHub does, with a fake npm that prints its arguments. */
async function stepWith(inputs: Readonly<Record<string, string>>) {
  const action = schema.parse(parse(await readFile(ACTION, 'utf8')));
  const step = action.runs.steps.find(({ run }) => run !== undefined);
  const folder = await temporaryFolder();
  await mkdir(join(folder, '.github', 'actions', 'gate'), { recursive: true });
  await writeFile(join(folder, 'npm'), '#!/bin/sh\nprintf "%s\\n" "$@"\n');
  await chmod(join(folder, 'npm'), 0o755);
  const value = (expression: string): string => {
    const [, name] = /^\$\{\{ inputs\.(\S+) \}\}$/.exec(expression) ?? [];
    if (name === undefined) return join(folder, '.github', 'actions', 'gate');
    return inputs[name] ?? action.inputs[name]?.default ?? '';
  };
  const env = Object.fromEntries(Object.entries(step?.env ?? {}).map(([key, text]) => [key, value(text)]));
  return createCommandRunner().run('bash', ['-c', step?.run ?? 'exit 9'], {
    env: { ...env, GITHUB_WORKSPACE: '/ws', PATH: `${folder}:${process.env['PATH'] ?? ''}` },
    reject: false,
  });
}

it.each([
  [{}, false],
  [{ prove: 'true' }, false],
  [{ prove: 'false' }, true],
])('the action with %j passes --no-prove: %s', async (inputs, passes) => {
  const { stdout, exitCode } = await stepWith({ suite: 'toolman', ...inputs });
  expect(exitCode).toBe(0);
  expect(stdout.split('\n').slice(0, 5)).toEqual(['run', 'gate', '--', '--suite', 'toolman']);
  expect(stdout.split('\n').includes('--no-prove')).toBe(passes);
});

it.each([
  ['charts/before', '', ['--previous', '/ws/charts/before']],
  [
    'oci://r.example/c/toolman',
    '1.3.0',
    ['--previous', 'oci://r.example/c/toolman', '--previous-version', '1.3.0'],
  ],
])('the action passes the version before, %s %s', async (previous, version, expected) => {
  const { stdout } = await stepWith({ suite: 'toolman', previous, 'previous-version': version });
  const args = stdout.split('\n');
  expect(args.slice(args.indexOf('--previous')).slice(0, expected.length)).toEqual(expected);
});

it.each([
  ['charts/toolman', '', ['--chart', '/ws/charts/toolman']],
  [
    'oci://r.example/c/toolman',
    '1.4.0',
    ['--chart', 'oci://r.example/c/toolman', '--chart-version', '1.4.0'],
  ],
])('the action passes the chart %s %s', async (chart, version, expected) => {
  const { stdout } = await stepWith({ suite: 'toolman', chart, 'chart-version': version });
  const args = stdout.split('\n');
  const from = args.indexOf('--chart');
  expect(args.slice(from, from + expected.length)).toEqual(expected);
});

it('the action passes files of the workspace, one for each line', async () => {
  const { stdout } = await stepWith({
    suite: 'toolman',
    values: 'v.yaml',
    prerequisites: 'db.yaml\ncache.yaml',
  });
  const args = stdout.split('\n');
  const from = args.indexOf('--values');
  expect(args.slice(from, from + 6)).toEqual([
    ...['--values', '/ws/v.yaml'],
    ...['--prerequisites', '/ws/db.yaml', '--prerequisites', '/ws/cache.yaml'],
  ]);
});

it('the action rejects another value of prove', async () => {
  expect(await stepWith({ suite: 'toolman', prove: 'no' })).toMatchObject({
    exitCode: 2,
    stderr: 'input prove is "no", not true or false\n',
  });
});
