/** For unit tests of the runner: a suite in one file that tells the reporter, through vitest's meta, what the kit tells. */
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const PRELUDE = `
import { appendFileSync } from 'node:fs';
import { inject, test } from 'vitest';
const { suite } = inject('kindproof');
const trace = (text) => appendFileSync(import.meta.dirname + '/trace', text + '\\n');
const check = (id, body, options = {}) =>
  (options.exclusive ? test : test.concurrent)(
    id,
    {
      tags: [suite, ...(options.tags ?? ['live'])],
      timeout: options.timeout ?? 60_000,
      skip: options.unselected,
      meta: {
        kindproofCheck: { id: suite + '/' + id, file: import.meta.filename, requirements: [id], title: 'about ' + id },
        ...(options.unselected ? { kindproofUnselected: true } : {}),
      },
    },
    body,
  );
const outcome = (id, status, reason) => ({
  result: {
    id: suite + '/' + id, suite, file: import.meta.filename, title: 'about ' + id, requirements: [id], status, reason,
    durationMs: 1, assertions: 1, observed: [], startedAt: new Date(0).toISOString(),
  },
});
const passes = (id, options) =>
  check(id, ({ task }) => { trace(id); task.meta.kindproofOutcome = outcome(id, 'passed'); }, options);
const fails = (id, reason) =>
  check(id, ({ task }) => { task.meta.kindproofOutcome = outcome(id, 'failed', reason); throw new Error(reason); });
const errs = (id, reason) =>
  check(id, ({ task }) => {
    const { result } = outcome(id, 'failed', reason);
    task.meta.kindproofOutcome = { result: { ...result, status: 'errored' } };
    throw new Error(reason);
  });
const skips = (id, reason) =>
  check(id, ({ task, skip }) => { task.meta.kindproofOutcome = outcome(id, 'skipped', reason); skip(reason); });
const loses = (id) =>
  check(id, ({ task }) => {
    task.meta.kindproofOutcome = {
      ...outcome(id, 'failed', 'gone'),
      infrastructure: { code: 'E_CLUSTER_LOST', message: 'the cluster is gone', hint: 'look' },
    };
    throw new Error('gone');
  }, { exclusive: true });
const fault = (name, body, timeout = 60_000) =>
  test.concurrent(name, { timeout, meta: { kindproofFault: { fault: name, suite, requirements: ['T-01'] } } }, body);
const proof = (name, result, reason) =>
  ({ fault: name, suite, requirements: ['T-01'], outcome: result, reason, durationMs: 1 });
`;

export interface SmallSuites {
  /** Holds `<name>/checks.e2e.mjs`. */
  root: string;
  file(name: string): string;
  dispose(): Promise<void>;
}

/** Writes each suite into a folder below the project, because its file has to find vitest. */
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
