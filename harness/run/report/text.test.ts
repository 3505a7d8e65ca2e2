import { describe, expect, it } from 'vitest';
import { collapse, plain, truncate, truncateMiddle, widthOf, wrap } from './text.ts';

describe('plain', () => {
  it.each([
    ['colours', '\u001b[31mred\u001b[0m', 'red'],
    ['a link', '\u001b]8;;file:///x\u0007here\u001b]8;;\u0007', 'here'],
    ['cursor movements', 'a\u001b[2K\u001b[1Gb', 'ab'],
    ['progress that overwrites itself', '10 %\r20 %\r\nend', '10 %\n20 %\nend'],
    ['control characters', 'a\u0000\u0007\u009bb', 'ab'],
    ['text that would be shown backwards', 'a\u202eb', 'ab'],
  ])('removes %s', (_, text, expected) => {
    expect(plain(text)).toBe(expected);
  });
});

describe('width', () => {
  it.each([
    ['abc', 3],
    ['é', 1],
    ['e\u0301', 1],
    ['日本', 4],
    ['✓ ✗ ○', 5],
    ['🚀', 2],
    ['👩‍🚀', 2],
    ['🇩🇪', 2],
  ])('of %s is %i', (text, expected) => {
    expect(widthOf(text)).toBe(expected);
  });
});

describe('wrap', () => {
  it('breaks at spaces and never exceeds the width', () => {
    const lines = wrap('the quick brown fox jumps over the lazy dog', 20);

    expect(lines).toEqual(['the quick brown fox', 'jumps over the lazy', 'dog']);
  });

  it('breaks a word that is longer than a line, keeping all of it', () => {
    const digest = 'a'.repeat(50);

    const lines = wrap(`digest ${digest}`, 20);

    expect(lines.join('').replace('digest', '')).toBe(digest);
    expect(Math.max(...lines.map(widthOf))).toBeLessThanOrEqual(20);
  });

  it('keeps newlines and the indentation of each line', () => {
    expect(wrap('a:\n  b c d e f g h i j k l m n', 20)).toEqual(['a:', '  b c d e f g h i j', '  k l m n']);
  });

  it('keeps words with a no-break space together', () => {
    expect(wrap('after a while of +90.0\u00a0s it ended', 22)).toEqual([
      'after a while of',
      '+90.0 s it ended',
    ]);
  });
});

it('never cuts a character that consists of several code points', () => {
  expect(truncate('👩‍🚀👩‍🚀👩‍🚀', 5)).toBe('👩‍🚀👩‍🚀…');
  expect(wrap('\u1100'.repeat(30), 20).join('')).toBe('\u1100'.repeat(30));
});

it('cuts at the end or in the middle, with an ellipsis', () => {
  expect(truncate('toolman-7c9d5b6f48', 10)).toBe('toolman-7…');
  expect(truncate('short', 10)).toBe('short');
  expect(truncateMiddle('toolman-7c9d5b6f48-x2l4h', 15)).toBe('toolman…8-x2l4h');
});

it('merges equal texts and counts them', () => {
  expect(collapse([{ text: 'a' }, { text: 'a' }, { text: 'b' }])).toEqual([{ text: 'a ×2' }, { text: 'b' }]);
});
