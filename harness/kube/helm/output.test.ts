import { describe, expect, it } from 'vitest';
import { parseLint } from './output.ts';

describe('parseLint', () => {
  it('reads severity, path and multi-line text', () => {
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

  it('returns no messages for empty output', () => {
    expect(parseLint('')).toEqual([]);
  });
});
