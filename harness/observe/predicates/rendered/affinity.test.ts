import { describe, expect, it } from 'vitest';
import type { KubeObject } from '../../../kube/api/types.ts';
import { sampleDeployment } from '../../../testing/sample-objects.ts';
import { antiAffinityTerm, replicasKeepApart } from './affinity.ts';

describe('antiAffinityTerm', () => {
  const wanted = { weight: 100, key: 'app', values: ['web'], topologyKey: 'kubernetes.io/hostname' };
  const deployment = (
    weight: number,
    labelSelector: unknown,
    topologyKey = 'kubernetes.io/hostname',
  ): KubeObject =>
    sampleDeployment({
      affinity: {
        podAntiAffinity: {
          preferredDuringSchedulingIgnoredDuringExecution: [
            { weight, podAffinityTerm: { labelSelector, topologyKey } },
          ],
        },
      },
    });
  const expressions = { matchExpressions: [{ key: 'app', operator: 'In', values: ['web'] }] };

  it.each([
    ['the exact term', deployment(100, expressions), true],
    ['the same term as matchLabels', deployment(100, { matchLabels: { app: 'web' } }), true],
    ['another weight', deployment(50, expressions), false],
    ['another operator', deployment(100, { matchExpressions: [{ key: 'app', operator: 'Exists' }] }), false],
    ['a further label', deployment(100, { ...expressions, matchLabels: { a: 'b' } }), false],
    ['another topology', deployment(100, expressions, 'zone'), false],
    ['no rule at all', sampleDeployment(), false],
  ])('%s', (_title, object, ok) => {
    expect(antiAffinityTerm(object, wanted).ok).toBe(ok);
  });
});

describe('replicasKeepApart', () => {
  const hostname = 'kubernetes.io/hostname';
  const own = { matchLabels: { 'app.kubernetes.io/name': 'web' } };
  const term = (labelSelector: unknown, topologyKey = hostname) => ({ labelSelector, topologyKey });
  const affinity = (rules: Record<string, unknown>): KubeObject =>
    sampleDeployment({ affinity: { podAntiAffinity: rules } });

  it.each([
    [
      'required anti-affinity',
      affinity({ requiredDuringSchedulingIgnoredDuringExecution: [term(own)] }),
      true,
    ],
    [
      'preferred anti-affinity',
      affinity({
        preferredDuringSchedulingIgnoredDuringExecution: [{ weight: 1, podAffinityTerm: term(own) }],
      }),
      true,
    ],
    [
      'topology spread',
      sampleDeployment({ topologySpreadConstraints: [{ ...term(own), maxSkew: 1 }] }),
      true,
    ],
    [
      'anti-affinity to other pods only',
      affinity({ requiredDuringSchedulingIgnoredDuringExecution: [term({ matchLabels: { app: 'db' } })] }),
      false,
    ],
    [
      'anti-affinity over zones',
      affinity({ requiredDuringSchedulingIgnoredDuringExecution: [term(own, 'zone')] }),
      false,
    ],
    ['no rule at all', sampleDeployment(), false],
  ])('%s', (_title, object, ok) => {
    expect(replicasKeepApart(object, hostname).ok).toBe(ok);
  });
});
