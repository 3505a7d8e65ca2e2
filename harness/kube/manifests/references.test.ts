import { describe, expect, it } from 'vitest';
import type { Container, KubeObject } from '../api/types.ts';
import type { ReferenceProblem } from './reference.ts';
import { checkReferences } from './references.ts';
import {
  LABELS,
  object,
  sampleConfigMap,
  sampleContainer,
  sampleDeployment,
  sampleService,
  sampleSystem,
} from '../../testing/sample-objects.ts';

const withContainer = (overrides: Partial<Container>): KubeObject[] =>
  sampleSystem({ containers: [sampleContainer(overrides)] });

const hpa = (name: string): KubeObject =>
  object('autoscaling/v2', 'HorizontalPodAutoscaler', 'web', {
    spec: { scaleTargetRef: { kind: 'Deployment', name } },
  });
const withSelector = (kind: string, field: string, matchLabels: Record<string, string>): KubeObject =>
  object('policy/v1', kind, 'web', { spec: { [field]: { matchLabels } } });
const monitor = (port: string): KubeObject =>
  object('monitoring.coreos.com/v1', 'ServiceMonitor', 'web', {
    spec: { selector: {}, endpoints: [{ port }] },
  });
const set = (fields: Record<string, unknown>): KubeObject => ({
  ...sampleDeployment({}, fields),
  kind: 'StatefulSet',
});
const binding = (role: string): KubeObject =>
  object('rbac.authorization.k8s.io/v1', 'RoleBinding', 'web', {
    roleRef: { kind: 'Role', name: role },
    subjects: [{ kind: 'ServiceAccount', name: 'default' }],
  });

const problemsOf = async (...given: Parameters<typeof checkReferences>): Promise<ReferenceProblem[]> =>
  (await checkReferences(...given)).problems;

describe('checkReferences', () => {
  it('accepts a valid system and counts the references', async () => {
    const report = await checkReferences(sampleSystem());
    expect(report.problems).toEqual([]);
    // ConfigMap and key, two probes' ports, mount, volume, Service selector and port
    expect(report.checked).toBe(7);
  });

  it.each<[string, KubeObject[], string, RegExp]>([
    [
      'a ConfigMap volume',
      [sampleService(), sampleDeployment()],
      '/volumes/0/configMap/name',
      /ConfigMap web-config is neither rendered/,
    ],
    [
      'an item of a volume',
      [sampleConfigMap({ b: '' }), sampleDeployment()],
      '/volumes/0/configMap/name',
      /no key a\.json; it has b/,
    ],
    [
      'a Secret volume',
      sampleSystem({ volumes: [{ name: 'config', secret: { secretName: 's' } }] }),
      '/volumes/0/secret/secretName',
      /Secret s/,
    ],
    [
      'a projected ConfigMap',
      sampleSystem({ volumes: [{ name: 'config', projected: { sources: [{ configMap: { name: 'p' } }] } }] }),
      '/projected/sources/0/configMap/name',
      /ConfigMap p/,
    ],
    [
      'a claim',
      sampleSystem({ volumes: [{ name: 'config', persistentVolumeClaim: { claimName: 'data' } }] }),
      '/persistentVolumeClaim/claimName',
      /PersistentVolumeClaim data/,
    ],
    [
      'a Secret in env',
      withContainer({ env: [{ name: 'T', valueFrom: { secretKeyRef: { name: 's', key: 'token' } } }] }),
      '/containers/0/env/0/valueFrom/secretKeyRef',
      /Secret s/,
    ],
    [
      'a key in env',
      withContainer({
        env: [{ name: 'T', valueFrom: { configMapKeyRef: { name: 'web-config', key: 'nope' } } }],
      }),
      '/env/0/valueFrom/configMapKeyRef',
      /no key nope; it has a\.json/,
    ],
    [
      'a ConfigMap in envFrom',
      withContainer({ envFrom: [{ configMapRef: { name: 'e' } }] }),
      '/envFrom/0/configMapRef',
      /ConfigMap e/,
    ],
    [
      'a pull secret',
      sampleSystem({ imagePullSecrets: [{ name: 'reg' }] }),
      '/imagePullSecrets/0/name',
      /Secret reg/,
    ],
    [
      'a ServiceAccount',
      sampleSystem({ serviceAccountName: 'sa' }),
      '/serviceAccountName',
      /ServiceAccount sa/,
    ],
    [
      'a probe’s port',
      withContainer({ livenessProbe: { httpGet: { port: 'web' } } }),
      '/livenessProbe/httpGet/port',
      /no port named web; it has http/,
    ],
    [
      'a preStop port',
      withContainer({ lifecycle: { preStop: { httpGet: { port: 'drain' } } } }),
      '/lifecycle/preStop/httpGet/port',
      /no port named drain/,
    ],
    [
      'a mount',
      withContainer({
        volumeMounts: [
          { name: 'data', mountPath: '/d' },
          { name: 'config', mountPath: '/c' },
        ],
      }),
      '/volumeMounts/0/name',
      /mounts volume data, which the pod does not have/,
    ],
    [
      'a volume nobody mounts',
      withContainer({ volumeMounts: [] }),
      '/volumes/0',
      /no container mounts volume config/,
    ],
    [
      'a Service’s selector',
      [sampleConfigMap(), sampleDeployment(), sampleService({ selector: { app: 'x' } })],
      '/spec/selector',
      /matches no rendered pod: pods with app=x/,
    ],
    [
      'a Service’s port name',
      [
        sampleConfigMap(),
        sampleDeployment(),
        sampleService({ ports: [{ port: 80, targetPort: 'metrics' }] }),
      ],
      '/spec/ports/0/targetPort',
      /Deployment web has no port named metrics; it has http/,
    ],
    [
      'an autoscaler’s target',
      [...sampleSystem(), hpa('api')],
      '/spec/scaleTargetRef',
      /Deployment api, which is not rendered/,
    ],
    [
      'a disruption budget',
      [...sampleSystem(), withSelector('PodDisruptionBudget', 'selector', { a: 'b' })],
      '/spec/selector',
      /matches no rendered pod/,
    ],
    [
      'a NetworkPolicy',
      [...sampleSystem(), withSelector('NetworkPolicy', 'podSelector', { a: 'b' })],
      '/spec/podSelector',
      /matches no rendered pod/,
    ],
    [
      'a ServiceMonitor’s port',
      [...sampleSystem(), monitor('metrics')],
      '/spec/endpoints/0/port',
      /no port named metrics; it has http/,
    ],
    [
      'a StatefulSet’s Service',
      [sampleConfigMap(), set({ serviceName: 'headless' })],
      '/spec/serviceName',
      /Service headless/,
    ],
    ['a Role', [...sampleSystem(), binding('reader')], '/roleRef', /Role reader is not rendered/],
  ])('reports a dangling reference: %s', async (_title, objects, path, why) => {
    const problems = await problemsOf(objects);
    expect(problems.map((p) => p.why)).toEqual([expect.stringMatching(why)]);
    expect(problems[0]?.path.endsWith(path)).toBe(true);
  });

  it.each<[string, KubeObject[]]>([
    [
      'labels that controllers put on',
      [
        ...sampleSystem(),
        object('v1', 'Service', 'first', {
          spec: { selector: { 'statefulset.kubernetes.io/pod-name': 'web-0' } },
        }),
        withSelector('NetworkPolicy', 'podSelector', { 'batch.kubernetes.io/job-name': 'x' }),
      ],
    ],
    [
      'pods of an operator',
      [
        ...sampleSystem(),
        object('databases.example.org/v1', 'Cluster', 'db'),
        object('v1', 'Service', 'db', { spec: { selector: { cluster: 'db' } } }),
        withSelector('PodDisruptionBudget', 'selector', { cluster: 'db' }),
        hpa('db'),
      ],
    ],
    [
      'pods of a program that creates them',
      [
        ...sampleSystem(),
        object('rbac.authorization.k8s.io/v1', 'Role', 'runner', {
          rules: [{ apiGroups: [''], resources: ['pods'], verbs: ['get', 'create'] }],
        }),
        withSelector('NetworkPolicy', 'podSelector', { made: 'later' }),
      ],
    ],
  ])('says nothing about %s', async (_title, objects) => {
    expect(await problemsOf(objects)).toEqual([]);
  });

  it('still misses pods beside objects that create none', async () => {
    const budget = withSelector('PodDisruptionBudget', 'selector', { a: 'b' });
    const problems = await problemsOf([...sampleSystem(), monitor('http'), budget]);
    expect(problems.map(({ object: name }) => name)).toEqual(['PodDisruptionBudget web']);
  });

  it('looks for a Role and an account where the binding names them', async () => {
    const elsewhere = (role: string, namespace: string): KubeObject => ({
      ...binding(role),
      metadata: { name: 'reads', namespace: 'kube-system' },
      subjects: [{ kind: 'ServiceAccount', name: 'prometheus', namespace }],
    });
    const there = [
      'Role kube-system/known',
      'Namespace undefined/monitoring',
      'ServiceAccount there/prometheus',
    ];
    const lookup = (kind: string, name: string, { metadata }: KubeObject): Promise<KubeObject | undefined> =>
      Promise.resolve(
        there.includes(`${kind} ${kind === 'Namespace' ? 'undefined' : (metadata.namespace ?? '')}/${name}`)
          ? object('v1', kind, name)
          : undefined,
      );
    const whyOf = async (role: string, namespace: string): Promise<string[]> =>
      (await problemsOf([elsewhere(role, namespace)], lookup)).map(({ refers }) => refers);
    expect(await whyOf('known', 'there')).toEqual([]);
    expect(await whyOf('unknown', 'there')).toEqual(['Role unknown']);
    expect(await whyOf('known', 'monitoring')).toEqual(['ServiceAccount prometheus']);
    expect(await whyOf('known', 'not-here')).toEqual([]);
  });

  it('lets only an object of a test refer to a Role of the test', async () => {
    const ofTest = (one: KubeObject): KubeObject => ({
      ...one,
      metadata: { ...one.metadata, annotations: { 'helm.sh/hook': 'test' } },
    });
    const role = ofTest(object('rbac.authorization.k8s.io/v1', 'Role', 'verify'));
    expect(await problemsOf([...sampleSystem(), role, ofTest(binding('verify'))])).toEqual([]);
    const problems = await problemsOf([...sampleSystem(), role, binding('verify')]);
    expect(problems.map(({ why }) => why)).toEqual(['Role verify is not rendered']);
  });

  it('accepts optional references and keys that are missing', async () => {
    const problems = await problemsOf(
      withContainer({
        env: [
          { name: 'T', valueFrom: { configMapKeyRef: { name: 'web-config', key: 'nope', optional: true } } },
        ],
        envFrom: [{ secretRef: { name: 'none', optional: true } }],
      }),
    );
    expect(problems).toEqual([]);
  });

  it.each([
    ['accepts', ['standard'], []],
    ['rejects', [], ['PersistentVolumeClaim data']],
  ])('%s references to cluster-scoped objects, with a cluster', async (_title, classes, expected) => {
    const claim = object('v1', 'PersistentVolumeClaim', 'data', { spec: { storageClassName: 'standard' } });
    const pods = sampleSystem({ runtimeClassName: 'runc', priorityClassName: 'system-node-critical' });
    const lookup = (kind: string, name: string): Promise<KubeObject | undefined> =>
      Promise.resolve(['runc', ...classes].includes(name) ? object('v1', kind, name) : undefined);
    expect(await problemsOf([claim, ...pods])).toEqual([]);
    expect((await problemsOf([claim, ...pods], lookup)).map((p) => p.object)).toEqual(expected);
  });

  it('treats claim templates of a StatefulSet as volumes', async () => {
    const claims = { serviceName: 'web', volumeClaimTemplates: [{ metadata: { name: 'data' }, spec: {} }] };
    const problems = await problemsOf([sampleConfigMap(), sampleService(), set(claims)]);
    expect(problems.map((p) => p.why)).toEqual(['no container mounts volume data']);
  });

  it('ignores test pods in Service selectors', async () => {
    const test = object('v1', 'Pod', 't', { spec: { containers: [] } });
    test.metadata = { name: 't', labels: LABELS, annotations: { 'helm.sh/hook': 'test' } };
    const problems = await problemsOf([sampleService(), test]);
    expect(problems.map((p) => p.object)).toEqual(['Service web']);
  });
});
