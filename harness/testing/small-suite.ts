/** For unit tests of the runner: suites in one file that write the same test records as the kit. */
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const PRELUDE = `
import { appendFileSync } from 'node:fs';
import { inject, test } from 'vitest';
const { suite, checks } = inject('kindproof');
const isSelected = (id, { unselected }) => !unselected && (checks?.includes(suite + '/' + id) ?? true);
const trace = (text) => appendFileSync(import.meta.dirname + '/trace', text + '\\n');
const check = (id, body, options = {}) =>
  (options.exclusive ? test : test.concurrent)(
    id,
    {
      timeout: options.timeout ?? 60_000,
      skip: !isSelected(id, options),
      meta: {
        kindproof: {
          type: 'check',
          check: {
            id: suite + '/' + id, file: import.meta.filename, requirements: [id], title: 'about ' + id,
            tags: [suite, ...(options.tags ?? ['live'])],
          },
          selected: isSelected(id, options),
        },
      },
    },
    body,
  );
const ends = (task, status, reason, infrastructure) => {
  const { check } = task.meta.kindproof;
  const result = {
    ...check, suite, status, reason,
    durationMs: 1, assertions: 1, observed: [], namespaces: [], startedAt: new Date(0).toISOString(),
  };
  task.meta.kindproof = { ...task.meta.kindproof, outcome: { result, capabilities: [], infrastructure } };
};
const passes = (id, options) => check(id, ({ task }) => { trace(id); ends(task, 'passed'); }, options);
const fails = (id, reason) => check(id, ({ task }) => { ends(task, 'failed', reason); throw new Error(reason); });
const errs = (id, reason) => check(id, ({ task }) => { ends(task, 'errored', reason); throw new Error(reason); });
const skips = (id, reason) => check(id, ({ task, skip }) => { ends(task, 'skipped', reason); skip(reason); });
const blocks = (id, by) =>
  check(id, ({ task, skip }) => {
    ends(task, 'blocked', 'the release never became ready');
    task.meta.kindproof.outcome.result.blockedBy = by;
    skip('blocked');
  });
const loses = (id) =>
  check(id, ({ task }) => {
    ends(task, 'errored', 'gone', { code: 'E_CLUSTER_LOST', message: 'the cluster is gone', hint: 'look' });
    throw new Error('gone');
  }, { exclusive: true });
const fault = (name, body, timeout = 60_000) =>
  test.concurrent(
    name,
    { timeout, meta: { kindproof: { type: 'proof', fault: { fault: name, suite, requirements: ['T-01'] } } } },
    body,
  );
const proves = (task, outcome, reason) => {
  const proof = { ...task.meta.kindproof.fault, outcome, reason, durationMs: 1, namespaces: [] };
  task.meta.kindproof = { ...task.meta.kindproof, outcome: { proof, capabilities: [] } };
};
`;

export interface SmallSuites {
  /** Holds `<name>/checks.e2e.mjs`. */
  root: string;
  file(name: string): string;
  dispose(): Promise<void>;
}

/** Writes each suite into a folder below the project, so that its file resolves vitest. */
export async function smallSuites(files: Readonly<Record<string, string>>): Promise<SmallSuites> {
  const cache = fileURLToPath(new URL('../../.cache', import.meta.url));
  await mkdir(cache, { recursive: true });
  const root = await mkdtemp(join(cache, 'unit-runner-'));
  for (const [name, text] of Object.entries(files)) {
    await mkdir(join(root, name));
    await writeFile(join(root, name, 'checks.e2e.mjs'), `${PRELUDE}${text}`);
  }
  return {
    root,
    file: (name) => join(root, name, 'checks.e2e.mjs'),
    dispose: () => rm(root, { recursive: true, force: true }),
  };
}
