import { describe, expect, it } from 'vitest';
import { parseLint, parseTests } from './output.ts';

describe('parseLint', () => {
  it('reads severity, path and text, over several lines', () => {
    const stdout = `==> Linting c
[INFO] Chart.yaml: icon is recommended
[WARNING] templates/b.yaml: object name does not conform
[ERROR] templates/: values don't meet the specifications of the schema(s) in the following chart(s):
c:
- at '/replicas': got string, want integer


Error: 1 chart(s) linted, 1 chart(s) failed
`;
    expect(parseLint(stdout)).toEqual([
      { severity: 'info', path: 'Chart.yaml', text: 'icon is recommended' },
      { severity: 'warning', path: 'templates/b.yaml', text: 'object name does not conform' },
      {
        severity: 'error',
        path: 'templates/',
        text: expect.stringContaining("at '/replicas': got string") as string,
      },
    ]);
  });

  it('finds nothing in an empty output', () => {
    expect(parseLint('')).toEqual([]);
  });
});

describe('parseTests', () => {
  it.each([
    ['no test', 'STATUS: deployed\nTEST SUITE: None\nNOTES:\nhello', []],
    [
      'a passed and a failed one',
      'TEST SUITE:     web-a\nLast Started:   Sat\nLast Completed: Sat\nPhase:          Succeeded\nTEST SUITE:     web-b\nLast Started:   Sat\nLast Completed: Sat\nPhase:          Failed\n',
      [
        { name: 'web-a', phase: 'Succeeded' },
        { name: 'web-b', phase: 'Failed' },
      ],
    ],
    ['one that never ran', 'TEST SUITE:     web-a\nPhase:\n', [{ name: 'web-a', phase: '' }]],
  ])('reads %s', (_title, stdout, expected) => {
    expect(parseTests(stdout)).toEqual(expected);
  });
});
