import { describe, expect, it } from 'vitest';
import type { Container, KubeObject, PodSpec } from '../../../kube/api/types.ts';
import { object, sampleContainer, sampleDeployment, sampleSystem } from '../../../testing/sample-objects.ts';
import { autoscalersCanScale } from './autoscaling.ts';
import { imagesArePinned } from './images.ts';
import { listenersHaveProbes } from './probes.ts';
import { everyContainerHasResources } from './resources.ts';
import { nothingIsPrivileged } from './security.ts';
import { selectorsAreStable } from './selectors.ts';
import type { PredicateResult } from '../result.ts';

const withContainer = (
  overrides: Partial<Container>,
  role: 'containers' | 'initContainers' = 'containers',
): KubeObject[] => {
  const container = sampleContainer(overrides);
  return sampleSystem({ [role]: [container] });
};
const without = (
  key: keyof Container,
  role: 'containers' | 'initContainers' = 'containers',
): KubeObject[] => {
  const entries = Object.entries(sampleContainer({ name: 'x' })).filter(([name]) => name !== key);
  return sampleSystem({ [role]: [Object.fromEntries(entries) as Container] });
};
const hpa = object('autoscaling/v2', 'HorizontalPodAutoscaler', 'web', {
  spec: { scaleTargetRef: { kind: 'Deployment', name: 'web' } },
});
const scalable = (spec: Partial<PodSpec> = {}): KubeObject[] => {
  const deployment = sampleDeployment(spec);
  delete (deployment['spec'] as Record<string, unknown>)['replicas'];
  return [hpa, deployment];
};

const predicates: [string, (objects: readonly KubeObject[]) => PredicateResult][] = [
  ['everyContainerHasResources', everyContainerHasResources],
  ['imagesArePinned', imagesArePinned],
  ['listenersHaveProbes', listenersHaveProbes],
  ['selectorsAreStable', selectorsAreStable],
  ['nothingIsPrivileged', nothingIsPrivileged],
];

describe('predicates over all objects', () => {
  it.each(predicates)('%s holds for a valid system', (_name, predicate) => {
    expect(predicate(sampleSystem())).toMatchObject({ ok: true, details: [] });
  });

  it.each([...predicates, ['autoscalersCanScale', autoscalersCanScale] as const])(
    '%s does not hold without objects',
    (_name, predicate) => {
      expect(predicate([])).toMatchObject({
        ok: false,
        actual: expect.stringContaining('selected nothing') as string,
      });
    },
  );

  it.each<[string, PredicateResult, RegExp]>([
    [
      'a container without resources',
      everyContainerHasResources(without('resources')),
      /container x has no requests\.cpu, .*limits\.memory/,
    ],
    [
      'an init container without resources',
      everyContainerHasResources(without('resources', 'initContainers')),
      /init container x/,
    ],
    [
      'a sidecar without limits',
      everyContainerHasResources(withContainer({ restartPolicy: 'Always', resources: {} }, 'initContainers')),
      /sidecar web/,
    ],
    ['the tag latest', imagesArePinned(withContainer({ image: 'a/b:latest' })), /runs a\/b:latest/],
    ['no tag after a port', imagesArePinned(withContainer({ image: 'host:5000/a' })), /has no tag/],
    ['no readiness probe', listenersHaveProbes(without('readinessProbe')), /no readinessProbe$/],
    [
      'a version in a selector',
      selectorsAreStable([sampleDeployment({}, { selector: { matchLabels: { 'helm.sh/chart': 'a-1' } } })]),
      /selects by helm\.sh\/chart/,
    ],
    [
      'a selector that misses its pods',
      selectorsAreStable([sampleDeployment({}, { selector: { matchLabels: { a: 'b' } } })]),
      /its own pods/,
    ],
    [
      'a privileged sidecar',
      nothingIsPrivileged(withContainer({ securityContext: { privileged: true } })),
      /is privileged/,
    ],
    ['the node’s network', nothingIsPrivileged([sampleDeployment({ hostNetwork: true })]), /hostNetwork/],
    [
      'an autoscaled Deployment with replicas',
      autoscalersCanScale([hpa, sampleDeployment()]),
      /sets replicas/,
    ],
    ['an autoscaler without a target', autoscalersCanScale([hpa]), /Deployment web, which is not rendered/],
    [
      'an autoscaled container without requests',
      autoscalersCanScale(scalable({ containers: [sampleContainer({ resources: {} })] })),
      /requests no cpu/,
    ],
  ])('find %s', (_title, result, detail) => {
    expect(result.ok).toBe(false);
    expect(result.details).toEqual([expect.stringMatching(detail)]);
  });

  it('accept digests, ports with a tag, and autoscaled workloads', () => {
    expect(imagesArePinned(withContainer({ image: `a@sha256:${'0'.repeat(64)}` })).ok).toBe(true);
    expect(autoscalersCanScale(scalable()).ok).toBe(true);
    expect(imagesArePinned(withContainer({ image: 'host:5000/a/b:2' })).ok).toBe(true);
  });
});
