import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { RunEvent } from './events.ts';
import { createGithubObserver } from './github.ts';
import { sampleFailure, sampleReport, sampleSkip } from '../../testing/sample-report.ts';

let directory: string;
beforeEach(async () => {
  directory = await mkdtemp(path.join(tmpdir(), 'kp-github-'));
});
afterEach(async () => {
  await rm(directory, { recursive: true });
});

function setUp(...events: RunEvent[]) {
  let written = '';
  const summary = path.join(directory, 'summary.md');
  const observer = createGithubObserver({
    env: { GITHUB_ACTIONS: 'true', GITHUB_STEP_SUMMARY: summary },
    stream: { write: (text) => (written += text) },
  });
  for (const event of events) observer?.onEvent(event);
  return { lines: written.split('\n').slice(0, -1), summary: () => readFile(summary, 'utf8') };
}

const failed = (check = sampleFailure()): RunEvent => ({
  type: 'check-ended',
  check,
  suite: 'toolman',
  rerun: 'npm run e2e',
});

describe('at GitHub', () => {
  it('is nothing anywhere else', () => {
    expect(createGithubObserver({ env: {}, stream: { write: () => true } })).toBeUndefined();
  });

  it('annotates a failing check with everything, in one escaped line', () => {
    const { lines } = setUp(failed(sampleFailure({ file: 'a,b:c.ts', requirements: ['T-28'] })));

    expect(lines).toHaveLength(1);
    expect(lines[0]).toMatch(
      /^::error file=a%2Cb%3Ac\.ts,title=toolman T-28%3A 2 of 3 replicas became available within 90 s::2 of 3 .*%0Aexpected: .*%0Aagain: npm run e2e$/,
    );
  });

  it('lets no text end its command or begin another one', () => {
    const check = sampleFailure({ reason: '100%\r\n::set-env name=X::y' });
    delete check.diagnosis;

    const { lines } = setUp(failed(check));

    expect(lines).toHaveLength(1);
    expect(lines[0]).toContain('::100%25%0A::set-env name=X::y');
  });

  it('groups phases, also those at the same time, and folds no check away', () => {
    const { lines } = setUp(
      { type: 'phase-started', name: 'cluster' },
      { type: 'phase-started', name: 'images' },
      { type: 'phase-ended', name: 'images', durationMs: 1, status: 'passed' },
      { type: 'phase-ended', name: 'cluster', durationMs: 1, status: 'passed' },
      { type: 'phase-started', name: 'checks' },
      { type: 'check-started', suite: 'toolman', id: 'toolman/T-1', title: 'x' },
      { type: 'phase-ended', name: 'checks', durationMs: 1, status: 'passed' },
    );

    expect(lines).toEqual([
      '::group::cluster',
      '::endgroup::',
      '::group::cluster + images',
      '::endgroup::',
      '::group::checks',
      '::endgroup::',
    ]);
  });

  it('writes a summary in which nothing from outside is markup', async () => {
    const check = sampleSkip({ reason: 'a | b <img src=x> @someone [x](y)\nz' });
    const failure = sampleFailure({ reason: 'x\n```\n# not a heading' });
    delete failure.diagnosis;

    const { summary } = setUp({
      type: 'run-ended',
      report: sampleReport({ checks: [check, failure] }),
      directory,
    });

    const text = await summary();
    expect(text).toContain('## ❌ kindproof: Failed: 1 of 2 checks, 2 of 3 faults not caught');
    expect(text).toContain('| toolman | 0 | 1 | 1 | 90.4 s |');
    expect(text).toContain('a \\| b &lt;img src=x&gt; @\u200bsomeone \\[x\\](y) z |');
    expect(text).toContain('````text\nx\n```\n# not a heading\n````');
  });

  it('says that the infrastructure failed', async () => {
    const error = { code: 'E_COMMAND', message: 'kind exited with 1', hint: 'Free some disk.' };
    const report = sampleReport({
      checks: [],
      proofs: [],
      run: { ...sampleReport().run, exitCode: 3, error },
    });

    const { lines, summary } = setUp({ type: 'run-ended', report, directory });

    expect(lines).toEqual(['::error title=kindproof%3A E_COMMAND::kind exited with 1%0AFree some disk.']);
    expect(await summary()).toContain('No verdict: infrastructure failed');
  });
});
