import { describe, expect, it } from 'vitest';
import { createStyle, wantsColor, wantsLiveLines } from './style.ts';

describe('wantsColor', () => {
  it.each([
    ['a terminal', {}, true, true],
    ['a terminal and NO_COLOR', { NO_COLOR: '1' }, true, false],
    ['a terminal and an empty NO_COLOR', { NO_COLOR: '' }, true, true],
    ['NO_COLOR and FORCE_COLOR', { NO_COLOR: '1', FORCE_COLOR: '1' }, true, false],
    ['a pipe', {}, false, false],
    ['a pipe and FORCE_COLOR', { FORCE_COLOR: '1' }, false, true],
    ['a terminal and FORCE_COLOR=0', { FORCE_COLOR: '0' }, true, false],
    ['a dumb terminal', { TERM: 'dumb' }, true, false],
  ])('decides for %s', (_, env, isTty, expected) => {
    expect(wantsColor(env, isTty)).toBe(expected);
  });
});

describe('wantsLiveLines', () => {
  it.each([
    ['a terminal', { TERM: 'xterm' }, true, true],
    ['a terminal without TERM', {}, true, true],
    ['a dumb terminal', { TERM: 'dumb' }, true, false],
    ['a dumb terminal and FORCE_COLOR', { TERM: 'dumb', FORCE_COLOR: '1' }, true, false],
    ['a terminal and NO_COLOR', { NO_COLOR: '1' }, true, false],
    ['a terminal and an empty NO_COLOR', { NO_COLOR: '' }, true, true],
    ['a terminal in CI', { CI: 'true' }, true, false],
    ['a pipe', {}, false, false],
    ['a pipe and FORCE_COLOR', { FORCE_COLOR: '1' }, false, false],
  ])('decides for %s', (_, env, isTty, expected) => {
    expect(wantsLiveLines(env, isTty)).toBe(expected);
  });
});

describe('createStyle', () => {
  it('styles also when stdout is no terminal, and leaves empty text empty', () => {
    const style = createStyle(true);

    expect(style.red('a')).toBe('\u001b[31ma\u001b[39m');
    expect(style.red('')).toBe('');
  });

  it('returns the text unchanged without colour', () => {
    expect(createStyle(false).bold('a')).toBe('a');
  });
});
