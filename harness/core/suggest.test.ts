import { describe, expect, it } from 'vitest';
import { suggest } from './suggest.ts';

const suites = ['toolman', 'tool-registry', 'k8s-mcp-agent', 'mcp-server'];

describe('suggest', () => {
  it.each([
    ['tolman', suites, 'toolman'],
    ['TOOLMAN', suites, 'toolman'],
    ['mcp-servers', suites, 'mcp-server'],
    ['toolregistri', suites, 'tool-registry'],
    ['registry', suites, 'tool-registry'],
    ['t-35', ['T-01', 'T-35'], 'T-35'],
    ['banana', suites, undefined],
    ['xy', ['ab', 'cd'], undefined],
    ['', suites, undefined],
    ['x', [], undefined],
  ])('%s in %j: %s', (word, candidates, expected) => {
    expect(suggest(word, candidates)).toBe(expected);
  });
});
