import { expect, it } from 'vitest';
import type { KubeObject } from '../../../kube/api/types.ts';
import { object } from '../../../testing/sample-objects.ts';
import { canBeInTwoNamespaces, canShareNamespace } from './two-releases.ts';

const deployment = (name: string, labels: Record<string, string>): KubeObject =>
  object('apps/v1', 'Deployment', name, {
    spec: { selector: { matchLabels: labels }, template: { metadata: { labels }, spec: { containers: [] } } },
  });

it('accepts releases whose names and labels differ', () => {
  const [one, other] = [deployment('a', { app: 'a' }), deployment('b', { app: 'b' })];
  expect(canShareNamespace([one], [other])).toMatchObject({ ok: true });
});

it.each([
  ['a name', deployment('b', { app: 'a' }), 'Deployment b has this name in both releases'],
  [
    'labels',
    deployment('a', { app: 'b' }),
    'Deployment a also selects the pods of Deployment b of the other release',
  ],
])('names %s that both share', (_, one, complaint) => {
  expect(canShareNamespace([one], [deployment('b', { app: 'b' })])).toMatchObject({
    ok: false,
    actual: complaint,
  });
});

it('does not hold for nothing', () => {
  expect(canShareNamespace([], []).ok).toBe(false);
});

it('names what can exist only once', () => {
  const once = [{ object: 'ClusterRole reader', why: 'cluster-scoped' as const, says: 'is cluster-scoped' }];
  expect(canBeInTwoNamespaces(once)).toMatchObject({
    ok: false,
    actual: 'ClusterRole reader is cluster-scoped',
  });
  expect(canBeInTwoNamespaces([])).toMatchObject({ ok: true });
});
