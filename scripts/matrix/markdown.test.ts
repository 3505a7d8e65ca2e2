import { describe, expect, it } from 'vitest';
import type { RequirementRow } from '../../harness/run/report/model.ts';
import { requirementsMarkdown } from './markdown.ts';

function row(overrides: Partial<RequirementRow>): RequirementRow {
  return {
    id: 'T-01',
    suite: 'toolman',
    source: 'documents.txt',
    requirement: 'the chart validates',
    checks: [{ file: 'suites/toolman/manifests.e2e.ts', title: 'lints and renders' }],
    faults: ['unknown-field'],
    status: 'covered',
    ...overrides,
  };
}

describe('requirementsMarkdown', () => {
  it('contains a summary and one table for each suite', () => {
    const text = requirementsMarkdown([
      row({}),
      row({ id: 'T-02', status: 'uncovered', checks: [], faults: [] }),
      row({ id: 'K-01', suite: 'k8s-mcp-agent', status: 'not-applicable', reason: 'a hosted service' }),
    ]);
    expect(text).toContain('| toolman | 2 | 1 | 1 | 0 |');
    expect(text).toContain('| total | 3 | 1 | 1 | 1 |');
    expect(text).toContain('| T-01 | the chart validates | covered | lints and renders | `unknown-field` |');
    expect(text).toContain('| T-02 | the chart validates | open | — | — |');
    expect(text).toContain('n/a: a hosted service');
    expect(requirementsMarkdown([row({ level: 'advice' })])).toContain('| covered, **advice** |');
    expect(text.match(/^## /gm)).toHaveLength(2);
  });

  it('lists the checks that no fault addresses alone', () => {
    const text = requirementsMarkdown([row({})], ['suites/a.e2e.ts: runs']);
    expect(text).toMatch(/^- suites\/a\.e2e\.ts: runs$/m);
    expect(requirementsMarkdown([row({})])).not.toContain('alone');
  });

  it.each([
    ['a | b', 'a \\| b'],
    ['two\nlines', 'two lines'],
    ['maps <name> to *', 'maps \\<name> to \\*'],
    ['sets `A_B` and C_D', 'sets `A_B` and C\\_D'],
    ['runs `a | b`', 'runs `a \\| b`'],
  ])('escapes %j for its cell', (requirement, shown) => {
    expect(requirementsMarkdown([row({ requirement })])).toContain(`| T-01 | ${shown} |`);
  });
});
