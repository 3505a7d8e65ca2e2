import { describe, expect, it } from 'vitest';
import { InfrastructureError, UsageError } from '../harness/core/errors.ts';
import { executedCommands } from '../harness/testing/fake-github-runner.ts';
import { reportFailure } from './report-failure.ts';

function reported(error: unknown, env: Record<string, string> = {}): string {
  let written = '';
  reportFailure(error, (text) => (written += text), env);
  return written;
}

describe('a failure that is reported', () => {
  it('has its code and the hint', () => {
    expect(reported(new UsageError('E_X', 'there is no x', { hint: 'Add an x.' }))).toBe(
      '✗ there is no x (E_X)\n  Add an x.\n',
    );
  });

  it.each([
    ['that nobody expected', (bug: Error) => bug],
    ['that nobody caught', (cause: Error) => new InfrastructureError('E_UNCAUGHT', 'a bug', { cause })],
  ])('has its stack: one %s', (_, wrapped) => {
    expect(reported(wrapped(new TypeError('a bug')))).toContain('report-failure.test.ts');
  });

  it('moves no cursor with what a tool printed', () => {
    expect(reported(new UsageError('E_X', 'helm failed:\n\u001b[2J\rno match'))).toBe(
      '✗ helm failed:\n\nno match (E_X)\n',
    );
  });

  it('executes no workflow command on GitHub', () => {
    const error = new UsageError('E_X', 'helm failed:\n::add-mask::a', { hint: '##[error]forged' });

    expect(executedCommands(reported(error, { GITHUB_ACTIONS: 'true' }))).toEqual([]);
  });
});
