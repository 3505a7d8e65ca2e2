import { describe, expect, it } from 'vitest';
import { tagFilter } from './tags.ts';

const known = ['static', 'live', 'disruptive', 'k8s-mcp-agent'];

describe('tagFilter', () => {
  it.each([
    'live',
    'live and not disruptive',
    '(static OR live) && !disruptive',
    'not (live||static)',
    'not not live',
    'k8s-*',
    'k8s-mcp-agent and (static)',
  ])('accepts %s', (expression) => {
    expect(() => {
      tagFilter(expression, known);
    }).not.toThrow();
  });

  it.each([
    ['', 'unexpected end of expression'],
    ['live and', 'unexpected end of expression'],
    ['and live', 'unexpected "and"'],
    ['live static', 'unexpected "static"'],
    ['(live', 'missing closing ")"'],
    ['live)', 'unexpected ")"'],
    ['slow', 'there is no tag "slow"'],
    ['x*', 'there is no tag "x*"'],
    // Without the guard, vitest's parser never returns.
    ['live & static', 'unexpected "&"'],
    ['live &&& static', 'unexpected "&"'],
    ['live | static', 'unexpected "|"'],
    // vitest needs a space after an operator.
    ['live and(static)', 'unexpected "and"'],
  ])('rejects "%s"', (expression, why) => {
    expect(() => {
      tagFilter(expression, known);
    }).toThrow(`--tags "${expression}": ${why}`);
  });

  it('suggests the nearest tag', () => {
    expect(() => {
      tagFilter('lvie', known);
    }).toThrow(
      expect.objectContaining({ code: 'E_TAGS', exitCode: 2, hint: 'Did you mean "live"?' }) as Error,
    );
  });
});
