import { describe, expect, it } from 'vitest';
import { rejectBadTags } from './tags.ts';

const known = ['static', 'live', 'disruptive', 'k8s-mcp-agent'];

describe('rejectBadTags', () => {
  it.each([
    'live',
    'live and not disruptive',
    '(static OR live) && !disruptive',
    'not (live||static)',
    'not not live',
    'k8s-*',
    'k8s-mcp-agent and(static)',
  ])('accepts %s', (expression) => {
    expect(() => {
      rejectBadTags(expression, known);
    }).not.toThrow();
  });

  it.each([
    ['', 'it ends too early'],
    ['live and', 'it ends too early'],
    ['and live', 'a tag is missing before "and"'],
    ['live static', '"and" or "or" is missing before "static"'],
    ['(live', 'a ")" is missing'],
    ['live)', '"and" or "or" is missing before ")"'],
    ['slow', 'there is no tag "slow"'],
    ['x*', 'there is no tag "x*"'],
    // Written with one sign only, it would keep vitest busy for ever.
    ['live & static', '"and" or "or" is missing before "&"'],
  ])('refuses "%s"', (expression, why) => {
    expect(() => {
      rejectBadTags(expression, known);
    }).toThrow(`--tags "${expression}": ${why}`);
  });

  it('knows what was meant', () => {
    expect(() => {
      rejectBadTags('lvie', known);
    }).toThrow(
      expect.objectContaining({ code: 'E_TAGS', exitCode: 2, hint: 'Did you mean "live"?' }) as Error,
    );
  });
});
