import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { RunEvent } from '../events.ts';
import { createGithubReporter } from './github.ts';
import {
  sampleCheck,
  sampleFailure,
  sampleMisfit,
  sampleReport,
  sampleSkip,
  sampleWarning,
} from '../../../testing/sample-report.ts';

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
  const reporter = createGithubReporter({
    env: { GITHUB_ACTIONS: 'true', GITHUB_STEP_SUMMARY: summary },
    stream: { write: (text) => (written += text) },
  });
  for (const event of events) reporter?.onEvent?.(event);
  return { lines: written.split('\n').slice(0, -1), summary: () => readFile(summary, 'utf8') };
}

const failed = (check = sampleFailure()): RunEvent => ({
  type: 'check-ended',
  check,
  suite: 'toolman',
  rerun: 'npm run e2e',
});

describe('the GitHub reporter', () => {
  it('does not exist anywhere else', () => {
    expect(createGithubReporter({ env: {}, stream: { write: () => true } })).toBeUndefined();
  });

  it('annotates a failed check with its whole diagnosis, in one escaped line', () => {
    const { lines } = setUp(failed(sampleFailure({ file: 'a,b:c.ts', requirements: ['T-28'] })));

    expect(lines).toHaveLength(1);
    expect(lines[0]).toMatch(
      /^::error file=a%2Cb%3Ac\.ts,title=toolman T-28%3A 2 of 3 replicas became available within 90 s::2 of 3 .*%0Aexpected: .*%0Aagain: npm run e2e$/,
    );
  });

  it('annotates a warning as one, and nothing else about a check that is not applicable', () => {
    const { lines } = setUp(failed(sampleWarning()), failed(sampleMisfit()));

    expect(lines).toHaveLength(1);
    expect(lines[0]).toMatch(
      /^::warning file=[^,]*,title=toolman X-12%3A container toolman has no memory limit::/,
    );
  });

  it('lists warnings and what is not applicable in the summary', async () => {
    const report = sampleReport({ checks: [sampleCheck(), sampleWarning(), sampleMisfit()], proofs: [] });

    const { summary } = setUp({ type: 'run-ended', report, directory });

    expect(await summary()).toContain('### Warnings\n\n| Check | Title | Reason |');
    expect(await summary()).toContain(
      '### Not applicable\n\n| Check | Title | Reason |\n| --- | --- | --- |\n| toolman/T-21 | routes its Service to exactly its ready pods | the chart renders no Service |',
    );
  });

  it('lets no text end a workflow command or begin another one', () => {
    const check = sampleFailure({ reason: '100%\r\n::set-env name=X::y' });
    delete check.diagnosis;

    const { lines } = setUp(failed(check));

    expect(lines).toHaveLength(1);
    expect(lines[0]).toContain('::100%25%0A::set-env name=X::y');
  });

  it('groups phases, also concurrent ones, and never folds checks', () => {
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

  it('writes a summary in which no text from outside is markup', async () => {
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

  it('reports an infrastructure failure', async () => {
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

  it('has an error when a passed run left something behind', async () => {
    const report = sampleReport({ checks: [sampleCheck()], proofs: [], leftovers: ['container kp-1'] });

    const { lines, summary } = setUp({ type: 'run-ended', report, directory });

    expect(lines).toEqual([
      expect.stringMatching(
        /^::error title=kindproof%3A E_LEFTOVERS::not everything was removed: container kp-1/,
      ),
    ]);
    expect(await summary()).toContain('## ⚠️ kindproof: Passed, but not everything was removed');
  });

  it('sums up blocked checks in one row', async () => {
    const blocked = (id: string) =>
      sampleSkip({
        id: `toolman/${id}`,
        status: 'blocked',
        reason: 'the release never became ready',
        blockedBy: 'toolman/T-28',
      });
    const report = sampleReport({ checks: [blocked('T-1'), sampleFailure(), blocked('T-2')] });

    const { summary } = setUp({ type: 'run-ended', report, directory });

    expect(await summary()).toContain(
      '| toolman/T-28 | the release never became ready | toolman/T-1, toolman/T-2 |',
    );
  });

  it('writes the coverage into the summary', async () => {
    const { summary } = setUp({ type: 'run-ended', report: sampleReport(), directory });

    expect(await summary()).toContain(
      'toolman: 3 of 6 requirements checked, 1 not applicable, 2 not checked',
    );
  });
});
