import { describe, expect, it } from 'vitest';
import { parseManifests } from '../manifests/parse.ts';
import { postRender } from './post-render.ts';

const TEXT = `---
# Source: c/templates/a.yaml
apiVersion: v1
kind: ConfigMap
metadata: {name: a} # kept
data: {mode: "0400", on: "on", time: "1:30", n: "1"}
---
# Source: c/templates/b.yaml
apiVersion: v1
kind: Secret
metadata:
  name: b
`;
const labels = { op: 'add', path: '/metadata/labels', value: { yes: 'no' } } as const;

describe('postRender', () => {
  it('keeps the exact text of documents that no patch selects', () => {
    const text = postRender(TEXT, [{ target: { kind: 'Secret' }, ops: [labels] }]);
    expect(text).toContain('metadata: {name: a} # kept');
    expect(text).toContain('# Source: c/templates/b.yaml');
  });

  it('quotes strings that helm would read as numbers or booleans', () => {
    const before = parseManifests(TEXT).map((m) => m.object);
    const after = parseManifests(
      postRender(TEXT, [{ target: { kind: 'ConfigMap', name: 'a' }, ops: [labels] }]),
    );
    expect(after[0]?.object).toEqual({ ...before[0], metadata: { name: 'a', labels: { yes: 'no' } } });
    expect(after.map((m) => m.source)).toEqual(['c/templates/a.yaml', 'c/templates/b.yaml']);
  });
});
