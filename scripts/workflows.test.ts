import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { z } from 'zod';
import { suites } from '../suites/index.ts';
import { projectRoot } from './project.ts';

const step = z.object({
  uses: z.string().optional(),
  run: z.string().optional(),
  with: z.record(z.string(), z.unknown()).optional(),
});
const steps = z.array(step);
const workflow = z.object({
  on: z.record(z.string(), z.unknown()),
  permissions: z.unknown(),
  jobs: z.record(
    z.string(),
    z.object({ 'timeout-minutes': z.number().optional(), permissions: z.unknown().optional(), steps }),
  ),
});
const action = z.object({ runs: z.object({ steps }) });

const github = join(projectRoot, '.github');
const read = (path: string) => ({ path, text: readFileSync(join(github, path), 'utf8') });
const workflows = readdirSync(join(github, 'workflows'))
  .map((name) => read(join('workflows', name)))
  .map((file) => ({ ...file, content: workflow.parse(parse(file.text)) }));
const actions = readdirSync(join(github, 'actions'))
  .map((name) => read(join('actions', name, 'action.yml')))
  .map((file) => ({ ...file, content: action.parse(parse(file.text)) }));
const all = [
  ...workflows.map(({ path, text, content }) => ({
    path,
    text,
    steps: Object.values(content.jobs).flatMap((job) => job.steps),
  })),
  ...actions.map(({ path, text, content }) => ({ path, text, steps: content.runs.steps })),
];

describe.each(all)('$path', ({ text, steps: own }) => {
  it('names each foreign action by its commit, and the version of the commit', () => {
    const uses = [...text.matchAll(/^[ -]+uses: (.*)$/gm)].map(([, reference = '']) => reference);
    const foreign = uses.filter((reference) => !reference.startsWith('./'));

    expect(uses).toHaveLength(own.filter((one) => one.uses !== undefined).length);
    for (const reference of foreign) {
      expect(reference).toMatch(/^[\w.-]+\/[\w./-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+$/);
    }
  });

  it('leaves no token in a checkout', () => {
    for (const { with: inputs } of own.filter(({ uses }) => uses?.startsWith('actions/checkout@'))) {
      expect(inputs).toMatchObject({ 'persist-credentials': false });
    }
  });

  it('uses no secrets, inserts no expression into a script and restores no programs from a cache', () => {
    expect(text).not.toContain('secrets');
    for (const { run } of own) expect(run ?? '').not.toContain('${{');
    expect(own.filter(({ uses }) => uses?.startsWith('actions/cache'))).toEqual([]);
  });
});

describe.each(workflows)('$path', ({ content }) => {
  it('may read the repository and nothing else, and ends in time', () => {
    expect(content.permissions).toEqual({ contents: 'read' });
    for (const job of Object.values(content.jobs)) {
      expect(job.permissions).toBeUndefined();
      expect(job['timeout-minutes']).toBeGreaterThan(0);
    }
  });

  it('never runs the code of a pull request with the rights of the repository', () => {
    expect(Object.keys(content.on)).not.toContain('pull_request_target');
    expect(Object.keys(content.on)).not.toContain('workflow_run');
  });
});

it('runs the checks on every further reference subject each night', () => {
  const nightly = workflows.find(({ path }) => path.endsWith('nightly.yml'));
  const commands = (nightly?.content.jobs['references']?.steps ?? []).flatMap(({ run = [] }) => run);
  const wanted = suites.flatMap(({ name, references = {} }) =>
    Object.keys(references).map((reference) => `--suite ${name} --reference ${reference} `),
  );
  expect(wanted.length).toBeGreaterThan(0);
  for (const arguments_ of wanted)
    expect(commands.filter((line) => line.includes(arguments_))).toHaveLength(1);
});
