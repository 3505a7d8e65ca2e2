import { describe, expect, it } from 'vitest';
import { matchesLabels, matchesSelector, selectorText, toSelectorString } from './selectors.ts';

describe('toSelectorString', () => {
  it.each([
    [{}, ''],
    [{ matchLabels: { a: '1', b: '2' } }, 'a=1,b=2'],
    [{ matchExpressions: [{ key: 'tier', operator: 'In', values: ['a', 'b'] }] }, 'tier in (a,b)'],
    [{ matchExpressions: [{ key: 'tier', operator: 'NotIn', values: ['a'] }] }, 'tier notin (a)'],
    [
      {
        matchLabels: { app: 'x' },
        matchExpressions: [
          { key: 'a', operator: 'Exists' },
          { key: 'b', operator: 'DoesNotExist' },
        ],
      },
      'app=x,a,!b',
    ],
  ])('writes %j as %j', (selector, text) => {
    expect(toSelectorString(selector)).toBe(text);
  });

  it('rejects an unknown operator', () => {
    const selector = { matchExpressions: [{ key: 'a', operator: 'Gt', values: ['1'] }] };
    expect(() => toSelectorString(selector)).toThrow(/no operator Gt/);
    expect(() => matchesSelector(selector, {})).toThrow(/no operator Gt/);
  });
});

describe('selectorText', () => {
  it.each([
    [undefined, 'no labels'],
    [{ matchLabels: { a: '1', b: '2' } }, 'a=1, b=2'],
    [
      {
        matchLabels: { app: 'x' },
        matchExpressions: [
          { key: 'tier', operator: 'NotIn', values: ['a', 'b'] },
          { key: 'zone', operator: 'In', values: ['z'] },
          { key: 'debug', operator: 'DoesNotExist' },
        ],
      },
      'app=x, tier not in (a, b), zone=z, debug does not exist',
    ],
  ])('writes %j as %j', (selector, text) => {
    expect(selectorText(selector)).toBe(text);
  });
});

describe('matchesSelector', () => {
  const labels = { app: 'web', tier: 'front' };
  const one = (operator: string, values?: string[], key = 'tier') => ({
    matchExpressions: [{ key, operator, ...(values ? { values } : {}) }],
  });
  it.each([
    ['no selector', undefined, false],
    ['an empty selector', {}, true],
    ['equal labels', { matchLabels: { app: 'web' } }, true],
    ['one different label', { matchLabels: { app: 'web', tier: 'back' } }, false],
    ['In', one('In', ['front', 'back']), true],
    ['In, other values', one('In', ['back']), false],
    ['In, absent label', one('In', ['x'], 'zone'), false],
    ['NotIn', one('NotIn', ['back']), true],
    ['NotIn, its value', one('NotIn', ['front']), false],
    ['NotIn, absent label', one('NotIn', ['front'], 'zone'), true],
    ['Exists', one('Exists'), true],
    ['Exists, absent label', one('Exists', undefined, 'zone'), false],
    ['DoesNotExist', one('DoesNotExist', undefined, 'zone'), true],
    ['DoesNotExist, present label', one('DoesNotExist'), false],
    ['labels and expressions', { matchLabels: { app: 'db' }, ...one('Exists') }, false],
  ])('%s: %j matches: %s', (_title, selector, selected) => {
    expect(matchesSelector(selector, labels)).toBe(selected);
  });
});

describe('matchesLabels', () => {
  it.each([
    [{ app: 'web' }, { app: 'web', x: 'y' }, true],
    [{ app: 'web', x: 'z' }, { app: 'web', x: 'y' }, false],
    [{ app: 'web' }, undefined, false],
    [{}, { app: 'web' }, false],
    [undefined, { app: 'web' }, false],
  ])('%j matches %j: %s', (wanted, labels, selected) => {
    expect(matchesLabels(wanted, labels)).toBe(selected);
  });
});
