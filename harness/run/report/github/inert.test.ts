import { describe, expect, it } from 'vitest';
import { executedCommands } from '../../../testing/fake-github-runner.ts';
import {
  sampleCheck,
  sampleFailure,
  sampleProof,
  sampleReport,
  sampleSkip,
} from '../../../testing/sample-report.ts';
import type { RunEvent } from '../events.ts';
import { createTerminalReporter } from '../terminal/terminal.ts';
import { createGithubReporter } from './github.ts';
import { inert } from './inert.ts';

const onGithub = { GITHUB_ACTIONS: 'true' };

/** A run in which every text that can come from the subject is `text`, as the log of a job. */
function logOf(text: string): string {
  let log = '';
  const github = createGithubReporter({ env: onGithub, stream: { write: (part) => (log += part) } });
  const terminal = createTerminalReporter({
    stream: { write: (part) => (log += inert(part, onGithub)) },
    isTty: false,
    color: false,
    columns: 100,
    verbose: true,
    clock: { now: () => 0, sleep: () => new Promise(() => {}) },
  });
  const diagnosis = {
    ...sampleFailure().diagnosis!,
    summary: text,
    expected: text,
    actual: text,
    hint: text,
    causes: [{ object: text, says: text }],
    timeline: [{ afterMs: 1, text }],
  };
  const failed = sampleFailure({ reason: text, diagnosis });
  const errored = sampleCheck({ id: 'toolman/T-2', status: 'errored', reason: text });
  const blocked = sampleCheck({ id: 'toolman/T-3', status: 'blocked', reason: text, blockedBy: failed.id });
  const checks = [failed, errored, blocked, sampleCheck({ observed: [text] }), sampleSkip({ reason: text })];
  const missed = sampleProof({ outcome: 'missed', reason: text });
  const report = sampleReport({ checks, proofs: [missed], leftovers: [text] });
  const events: RunEvent[] = [
    { type: 'run-started', runId: 'x', directory: '/runs/x', command: '' },
    { type: 'phase-started', name: 'cluster' },
    { type: 'phase-progress', name: 'cluster', text },
    { type: 'phase-ended', name: 'cluster', durationMs: 1, status: 'passed' },
    { type: 'notice', level: 'warning', text, hint: text },
    ...checks.map((check) => ({ type: 'check-ended' as const, check, suite: check.suite, rerun: '' })),
    { type: 'proof-ended', proof: missed },
    {
      type: 'run-ended',
      report: {
        ...report,
        run: { ...report.run, exitCode: 3, error: { code: 'E_X', message: text, hint: text } },
      },
      directory: '/runs/x',
    },
  ];
  for (const event of events) {
    github?.onEvent?.(event);
    terminal.onEvent?.(event);
  }
  github?.close?.();
  terminal.close?.();
  return log;
}

/** What kindproof itself tells the runner to do. */
const OWN = ['group', 'endgroup', 'warning', 'error', 'error', 'error', 'error'];

describe('on GitHub, text of the subject', () => {
  it.each([
    '::set-env name=PATH::/evil',
    '   ::add-mask::a',
    '\u0085::error::x',
    'log ##[set-env name=PATH]/evil',
    '##[error]forged',
    'half a line\r::error::forged',
    'first\n::stop-commands::forever',
    '::ERROR::forged',
    '\u001b[0m::error::forged\u001b[0m',
    '%0A::error::forged',
    '::endgroup::',
    `word ${'x'.repeat(120)} ::error::at the start of a wrapped line`,
    'https://[::1]:8080 ##[group]x',
  ])('executes no workflow command: %j', (line) => {
    expect(executedCommands(logOf(line)).map((command) => command.split(' ')[0])).toEqual(OWN);
  });

  it('cannot end a block with a token that was printed before', () => {
    const printed = [...logOf('::error::x').matchAll(/::stop-commands::(\S+)/g)].map(
      ([, token]) => token ?? '',
    );
    expect(printed.length).toBeGreaterThan(0);
    expect(new Set(printed).size).toBe(printed.length);

    const text = printed.map((token) => `::${token}::\n##[${token}]\n::error::forged`).join('\n');

    expect(executedCommands(inert(`${text}\n`, onGithub))).toEqual([]);
  });

  it('stays as it is, and so does the line of the counts, unless a line could be a command', () => {
    expect(inert('1 passed, 0 failed, 0 skipped\n', onGithub)).toBe('1 passed, 0 failed, 0 skipped\n');
    expect(logOf('::error::x')).toMatch(/\n\d+ passed, \d+ failed, \d+ skipped\n$/);
  });
});

describe('inert', () => {
  it('changes nothing anywhere else', () => {
    expect(inert('::error::x\n', {})).toBe('::error::x\n');
  });

  it('wraps only the lines that could be commands', () => {
    const [before, stop = '', first, second, resume, after, ...rest] = inert(
      'a\n::b::\n##[c]\nd\n',
      onGithub,
    ).split('\n');

    expect([before, first, second, after, ...rest]).toEqual(['a', '::b::', '##[c]', 'd', '']);
    expect(stop).toMatch(/^::stop-commands::[\w-]{36}$/);
    expect(resume).toBe(`::${stop.slice('::stop-commands::'.length)}::`);
  });

  it('ends a block on a line of its own', () => {
    expect(executedCommands(inert('::error::x', onGithub))).toEqual([]);
  });
});
