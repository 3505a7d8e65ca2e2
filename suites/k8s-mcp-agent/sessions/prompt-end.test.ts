import { describe, expect, it } from 'vitest';
import { endedPromptly } from './prompt-end.ts';

const ended = (title: string, endedAt: number | undefined) => ({ title, endedAt });

describe('endedPromptly', () => {
  it.each<[string, number | undefined, number | undefined, boolean, string]>([
    ['both at once', 1000, 1000, true, 'no later than it'],
    ['the session first', 900, 1000, true, 'no later than it'],
    ['on a machine that stalled for a minute', 61_500, 60_000, true, '1.5 s after it'],
    ['the session late', 9000, 1000, false, '8.0 s after it'],
    ['the session still running', undefined, 1000, false, 'one of them still runs'],
    ['the control still running', 1000, undefined, false, 'one of them still runs'],
  ])('%s', (_title, session, control, ok, actual) => {
    expect(endedPromptly(ended('the agent', session), ended('cat', control), 5000)).toMatchObject({
      ok,
      actual,
    });
  });
});
