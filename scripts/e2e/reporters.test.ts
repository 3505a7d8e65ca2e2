import { describe, expect, it } from 'vitest';
import type { RunEvent } from '../../harness/run/report/events.ts';
import { executedCommands } from '../../harness/testing/fake-github-runner.ts';
import { sampleFailure } from '../../harness/testing/sample-report.ts';
import { createReporters } from './reporters.ts';

function outputOf(env: Record<string, string>, isTTY: boolean, ...events: RunEvent[]): string {
  let written = '';
  const stdout = { isTTY, columns: 80, write: (text: string) => (written += text) };
  const reporters = createReporters({ verbose: false }, { env, stdout });
  for (const event of events) for (const reporter of reporters) reporter.onEvent?.(event);
  for (const reporter of reporters) reporter.close?.();
  return written;
}

const phase: RunEvent[] = [
  { type: 'phase-started', name: 'cluster' },
  { type: 'phase-progress', name: 'cluster', text: 'starting nodes' },
  { type: 'phase-ended', name: 'cluster', durationMs: 1, status: 'passed' },
];

describe('the reporters of a run', () => {
  it('redraw lines on a terminal', () => {
    expect(outputOf({ TERM: 'xterm' }, true, ...phase)).toContain('\u001b[?25l');
  });

  it.each([
    ['on a dumb terminal', { TERM: 'dumb' }, true],
    ['with NO_COLOR', { TERM: 'xterm', NO_COLOR: '1' }, true],
    ['into a pipe', { TERM: 'xterm' }, false],
  ])('write no escape sequence %s', (_, env, isTTY) => {
    expect(outputOf(env, isTTY, ...phase)).toBe(
      '… cluster\n… cluster  0.0 s  starting nodes\n✓ cluster  0.0 s\n',
    );
  });

  it('let no text of the subject act as a command on GitHub', () => {
    const reason = 'log line\n::set-env name=PATH::/evil';
    const check = sampleFailure({ reason });
    delete check.diagnosis;
    const notice: RunEvent = { type: 'notice', level: 'info', text: '##[error]forged' };

    const log = outputOf({ GITHUB_ACTIONS: 'true', CI: 'true' }, false, notice, {
      type: 'check-ended',
      check,
      suite: 'toolman',
      rerun: '',
    });

    expect(log).toContain('##[error]forged');
    expect(executedCommands(log).map((command) => command.split(' ')[0])).toEqual(['error']);
  });
});
