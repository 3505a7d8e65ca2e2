import { describe, expect, it } from 'vitest';
import type { Container, KubeObject, PodSpec } from '../../../kube/api/types.ts';
import {
  object,
  sampleContainer,
  sampleDeployment,
  samplePodSpec,
  sampleService,
  sampleSystem,
} from '../../../testing/sample-objects.ts';
import { antiAffinityTerm, replicasKeepApart } from './affinity.ts';
import { autoscalersCanScale } from './autoscaling.ts';
import { imagesArePinned, imageTag, pullPolicyIs } from './images.ts';
import { listenersHaveProbes, probeSettings, toleratesSlowStart, type ProbeExpectation } from './probes.ts';
import { referencesResolve } from './references.ts';
import { everyContainerHasResources, impliedQosClass, resourcesAre } from './resources.ts';
import {
  containerIsHardened,
  nothingIsPrivileged,
  podSecurityContextIs,
  securityContextIs,
} from './security.ts';
import { selectorsAreStable, servicesSelectTheirPods } from './selectors.ts';
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

const listChecks: [string, (objects: readonly KubeObject[]) => PredicateResult][] = [
  ['everyContainerHasResources', everyContainerHasResources],
  ['imagesArePinned', imagesArePinned],
  ['pullPolicyIs', (objects) => pullPolicyIs(objects, 'IfNotPresent')],
  ['listenersHaveProbes', listenersHaveProbes],
  ['servicesSelectTheirPods', servicesSelectTheirPods],
  ['selectorsAreStable', selectorsAreStable],
  ['nothingIsPrivileged', nothingIsPrivileged],
];

describe('static checks over all objects', () => {
  it.each(listChecks)('%s holds for a system in order', (_name, check) => {
    expect(check(sampleSystem())).toMatchObject({ ok: true, details: [] });
  });

  it.each([...listChecks, ['autoscalersCanScale', autoscalersCanScale] as const])(
    '%s never holds for nothing',
    (_name, check) => {
      expect(check([])).toMatchObject({
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
    ['latest', imagesArePinned(withContainer({ image: 'a/b:latest' })), /runs a\/b:latest/],
    ['no tag behind a port', imagesArePinned(withContainer({ image: 'host:5000/a' })), /has no tag/],
    [
      'another pull policy',
      pullPolicyIs(without('imagePullPolicy'), 'IfNotPresent'),
      /imagePullPolicy not set/,
    ],
    ['no readiness probe', listenersHaveProbes(without('readinessProbe')), /no readinessProbe$/],
    [
      'a Service that selects nothing',
      servicesSelectTheirPods([sampleService({ selector: { app: 'x' } }), sampleDeployment()]),
      /selects no pod: Deployment web lacks app=x/,
    ],
    [
      'a Service that selects two workloads',
      servicesSelectTheirPods([
        sampleService(),
        sampleDeployment(),
        { ...sampleDeployment(), kind: 'DaemonSet' },
      ]),
      /Deployment web and DaemonSet web/,
    ],
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
    ['an autoscaler of nothing', autoscalersCanScale([hpa]), /Deployment web, which is not rendered/],
    [
      'an autoscaled container without requests',
      autoscalersCanScale(scalable({ containers: [sampleContainer({ resources: {} })] })),
      /requests no cpu/,
    ],
  ])('find %s', (_title, verdict, detail) => {
    expect(verdict.ok).toBe(false);
    expect(verdict.details).toEqual([expect.stringMatching(detail)]);
  });

  it('accepts digests, autoscaled workloads and Services without a selector', () => {
    expect(imagesArePinned(withContainer({ image: `a@sha256:${'0'.repeat(64)}` })).ok).toBe(true);
    expect(autoscalersCanScale(scalable()).ok).toBe(true);
    expect(servicesSelectTheirPods([...sampleSystem(), sampleService({ selector: {} })]).ok).toBe(true);
  });

  it.each([
    ['a/b:1', '1'],
    ['host:5000/a/b', undefined],
    ['host:5000/a/b:2', '2'],
    ['a:3@sha256:0', '3'],
    ['a:', undefined],
  ])('imageTag(%s) is %s', (image, tag) => {
    expect(imageTag(image)).toBe(tag);
  });
});

describe('referencesResolve', () => {
  it('counts what it followed, and is no success without any', async () => {
    expect(await referencesResolve(sampleSystem())).toMatchObject({
      ok: true,
      actual: 'all 7 references resolve',
    });
    expect(await referencesResolve([])).toMatchObject({ ok: false });
    expect(await referencesResolve([sampleDeployment()])).toMatchObject({
      ok: false,
      actual: expect.stringMatching(
        /^1 of \d+ do not resolve: Deployment web \/spec.* is neither rendered$/,
      ) as string,
      details: [
        'Deployment web /spec/template/spec/volumes/0/configMap/name: ConfigMap web-config is neither rendered',
      ],
    });
  });
});

describe('resources', () => {
  it('compares quantities, not their spelling, and both ways', () => {
    const same = { requests: { cpu: '0.1', memory: '128Mi' }, limits: { cpu: '500m', memory: '0.5Gi' } };
    expect(resourcesAre(sampleDeployment(), 'web', same).ok).toBe(true);
    const other = { ...same, limits: { cpu: '1' } };
    expect(resourcesAre(sampleDeployment(), 'web', other)).toMatchObject({
      ok: false,
      details: ['limits.cpu is 500m instead of 1', 'limits.memory is 512Mi instead of not set'],
    });
    expect(resourcesAre(sampleDeployment(), 'nope', same)).toMatchObject({
      ok: false,
      actual: expect.stringContaining('selected nothing') as string,
    });
  });

  it.each<[string, NonNullable<Container['resources']>, string]>([
    [
      'requests below limits',
      { requests: { cpu: '1', memory: '1Gi' }, limits: { cpu: '2', memory: '1Gi' } },
      'Burstable',
    ],
    [
      'equal ones',
      { requests: { cpu: '1', memory: '1Gi' }, limits: { cpu: '1000m', memory: '1024Mi' } },
      'Guaranteed',
    ],
    ['limits alone, which become the requests', { limits: { cpu: '1', memory: '1Gi' } }, 'Guaranteed'],
    ['memory alone', { limits: { memory: '1Gi' } }, 'Burstable'],
    ['nothing', {}, 'BestEffort'],
  ])('implies the class of %s', (_title, resources, qos) => {
    expect(impliedQosClass(samplePodSpec({ containers: [sampleContainer({ resources })] }))).toBe(qos);
  });
});

describe('probes', () => {
  it.each<[string, ProbeExpectation, string[]]>([
    ['what is written', { path: '/health', port: 'http', initialDelaySeconds: 30 }, []],
    ['what is default', { periodSeconds: 10, failureThreshold: 3 }, []],
    ['another path', { path: '/healthz' }, ['path is /health instead of /healthz']],
    ['the number behind the name', { port: 3000 }, ['port is http instead of 3000']],
  ])('compare %s', (_title, wanted, details) => {
    expect(probeSettings(sampleDeployment(), 'web', 'livenessProbe', wanted)).toMatchObject({
      ok: details.length === 0,
      details,
    });
  });

  it.each<[string, string, 'startupProbe' | 'livenessProbe', ProbeExpectation, RegExp]>([
    ['an absent probe', 'web', 'startupProbe', { path: '/' }, /has no startupProbe/],
    ['an absent container', 'x', 'livenessProbe', { path: '/' }, /selected nothing/],
    ['no expectation', 'web', 'livenessProbe', {}, /selected nothing/],
  ])('never hold for %s', (_title, container, probe, wanted, actual) => {
    expect(probeSettings(sampleDeployment(), container, probe, wanted)).toMatchObject({
      ok: false,
      actual: expect.stringMatching(actual) as string,
    });
  });

  it.each([
    ['liveness alone', {}, 60, true],
    ['liveness alone', {}, 61, false],
    ['a startup probe', { startupProbe: { periodSeconds: 5, failureThreshold: 60 } }, 300, true],
  ])('with %s, %o may take %i s: %s', (_title, overrides, seconds, ok) => {
    const deployment = sampleDeployment({ containers: [sampleContainer(overrides)] });
    expect(toleratesSlowStart(deployment, 'web', seconds).ok).toBe(ok);
  });
});

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
    ['the same as matchLabels', deployment(100, { matchLabels: { app: 'web' } }), true],
    ['another weight', deployment(50, expressions), false],
    ['another operator', deployment(100, { matchExpressions: [{ key: 'app', operator: 'Exists' }] }), false],
    ['a further label', deployment(100, { ...expressions, matchLabels: { a: 'b' } }), false],
    ['another topology', deployment(100, expressions, 'zone'), false],
    ['no rule at all', sampleDeployment(), false],
  ])('judges %s', (_title, object, ok) => {
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
    ['required', affinity({ requiredDuringSchedulingIgnoredDuringExecution: [term(own)] }), true],
    [
      'preferred',
      affinity({
        preferredDuringSchedulingIgnoredDuringExecution: [{ weight: 1, podAffinityTerm: term(own) }],
      }),
      true,
    ],
    ['spread', sampleDeployment({ topologySpreadConstraints: [{ ...term(own), maxSkew: 1 }] }), true],
    [
      'from others only',
      affinity({ requiredDuringSchedulingIgnoredDuringExecution: [term({ matchLabels: { app: 'db' } })] }),
      false,
    ],
    ['over zones', affinity({ requiredDuringSchedulingIgnoredDuringExecution: [term(own, 'zone')] }), false],
    ['no rule at all', sampleDeployment(), false],
  ])('%s', (_title, object, ok) => {
    expect(replicasKeepApart(object, hostname).ok).toBe(ok);
  });
});

describe('security contexts', () => {
  const hardened = sampleDeployment({
    securityContext: { runAsNonRoot: true, runAsUser: 1001, seccompProfile: { type: 'RuntimeDefault' } },
    containers: [
      sampleContainer({
        securityContext: {
          allowPrivilegeEscalation: false,
          readOnlyRootFilesystem: true,
          capabilities: { drop: ['ALL'] },
        },
      }),
    ],
  });

  it('put the container’s over the pod’s', () => {
    expect(containerIsHardened(hardened, 'web').ok).toBe(true);
    const root = sampleDeployment({ containers: [sampleContainer({ securityContext: { runAsUser: 0 } })] });
    expect(securityContextIs(root, 'web', { runAsUser: 1001 })).toMatchObject({
      ok: false,
      details: ['runAsUser is 0 instead of 1001'],
    });
  });

  it('say what is missing', () => {
    expect(containerIsHardened(sampleDeployment(), 'web').details).toEqual([
      'allowPrivilegeEscalation is not set instead of false',
      'capabilities is not set instead of {"drop":["ALL"]}',
      'seccompProfile is not set instead of {"type":"RuntimeDefault"}',
    ]);
  });

  it('never hold for nothing', () => {
    expect(securityContextIs(hardened, 'nope', { runAsUser: 1 }).ok).toBe(false);
    expect(podSecurityContextIs(hardened, {}).ok).toBe(false);
    expect(podSecurityContextIs(sampleService(), { fsGroup: 1 }).ok).toBe(false);
  });
});
