import { describe, expect, it } from 'vitest';
import {
  LABELS,
  object,
  sampleConfigMap,
  sampleContainer,
  sampleDeployment,
  sampleService,
  sampleSystem,
} from '../../../testing/sample-objects.ts';
import type { KubeObject } from '../../api/types.ts';
import type { ModelWorkload, SubjectModel } from './model.ts';
import { onceBeside } from './exists-once.ts';
import { lasting, modelOf } from './subject-model.ts';

const RELEASE = { namespace: 'kp-x' };
const model = (...objects: KubeObject[]): SubjectModel => modelOf(objects, RELEASE);

function only({ workloads }: SubjectModel): ModelWorkload {
  expect(workloads).toHaveLength(1);
  return workloads[0]!;
}

const selecting = (apiVersion: string, kind: string, field: string, matchLabels: object = LABELS) =>
  object(apiVersion, kind, `${kind.toLowerCase()}-1`, { spec: { [field]: { matchLabels } } });
const autoscaler = (spec: Record<string, unknown>) =>
  object('autoscaling/v2', 'HorizontalPodAutoscaler', 'web', {
    spec: { scaleTargetRef: { kind: 'Deployment', name: 'web' }, maxReplicas: 5, ...spec },
  });
const inNamespace = (namespace: string, found: KubeObject): KubeObject => ({
  ...found,
  metadata: { ...found.metadata, namespace },
});
const withAnnotations = (annotations: Record<string, string>, found: KubeObject): KubeObject => ({
  ...found,
  metadata: { ...found.metadata, annotations },
});
const job = (name = 'migrate') =>
  object('batch/v1', 'Job', name, { spec: { template: { spec: { containers: [sampleContainer()] } } } });
const pod = (spec: Record<string, unknown> = {}) =>
  object('v1', 'Pod', 'one', { spec: { containers: [sampleContainer()], ...spec } });

describe('the model of a subject', () => {
  it('gives a workload its Service, configuration, probes, budget, policy and autoscaler', () => {
    const web = only(
      model(
        ...sampleSystem({ serviceAccountName: 'web' }),
        selecting('policy/v1', 'PodDisruptionBudget', 'selector'),
        selecting('networking.k8s.io/v1', 'NetworkPolicy', 'podSelector'),
        autoscaler({ minReplicas: 3 }),
      ),
    );
    expect(web).toMatchObject({
      title: 'Deployment web',
      course: 'long-running',
      account: 'web',
      hookEvents: [],
    });
    expect(web.services.map(({ metadata }) => metadata.name)).toEqual(['web']);
    expect(web.configuration).toMatchObject([
      {
        kind: 'ConfigMap',
        name: 'web-config',
        container: 'web',
        use: 'volume',
        object: { kind: 'ConfigMap' },
      },
    ]);
    expect(web.probes.map(({ container, name }) => `${container} ${name}`)).toEqual([
      'web livenessProbe',
      'web readinessProbe',
    ]);
    expect(web.budgets).toHaveLength(1);
    expect(web.networkPolicies).toHaveLength(1);
    expect(web.autoscaler?.kind).toBe('HorizontalPodAutoscaler');
  });

  it('does not depend on names and on the order of objects', () => {
    const other = sampleDeployment({}, {});
    const [first, second] = [model(sampleService(), other), model(other, sampleService())].map(only);
    expect(first?.services).toEqual(second?.services);
  });

  it('gives nothing to a workload that is selected by nothing', () => {
    const { workloads, otherServices } = model(
      sampleDeployment(),
      sampleService({ selector: { app: 'another' } }),
      selecting('policy/v1', 'PodDisruptionBudget', 'selector', { app: 'another' }),
    );
    expect(workloads[0]).toMatchObject({ services: [], budgets: [], networkPolicies: [] });
    expect(otherServices).toHaveLength(1);
  });

  it('keeps objects of different namespaces apart', () => {
    const service = inNamespace('monitoring', sampleService());
    expect(only(model(sampleDeployment(), service)).services).toEqual([]);
    expect(only(model(inNamespace('monitoring', sampleDeployment()), service)).services).toHaveLength(1);
  });

  it.each([
    ['spec.replicas', {}, [], { least: 2, most: 2, statedBy: 'spec.replicas' }],
    ['0', { replicas: 0 }, [], { least: 0, most: 0, statedBy: 'spec.replicas' }],
    ['nothing', { replicas: undefined }, [], { least: 1, most: 1, statedBy: 'the default of Kubernetes' }],
    [
      'an autoscaler',
      {},
      [autoscaler({ minReplicas: 3 })],
      { least: 3, most: 5, statedBy: 'minReplicas of HorizontalPodAutoscaler web' },
    ],
    ['an autoscaler without minReplicas', { replicas: undefined }, [autoscaler({})], { least: 1, most: 5 }],
    ['0 and an autoscaler', { replicas: 0 }, [autoscaler({ minReplicas: 3 })], { least: 0, most: 0 }],
  ])('expects the replicas of %s', (_, fields, others, expected) => {
    expect(only(model(sampleDeployment({}, fields), ...others)).replicas).toMatchObject(expected);
  });

  it('expects no number of pods of a DaemonSet, Job or Pod', () => {
    const daemonSet = { ...sampleDeployment(), kind: 'DaemonSet' };
    expect(model(daemonSet, job(), pod()).workloads.map(({ replicas }) => replicas)).toEqual([
      undefined,
      undefined,
      undefined,
    ]);
  });

  it.each([
    ['Deployment', sampleDeployment(), 'long-running', true],
    ['Job', job(), 'job', false],
    ['hook', withAnnotations({ 'helm.sh/hook': 'pre-install' }, job()), 'job', false],
    ['Pod of a hook', withAnnotations({ 'helm.sh/hook': 'post-install' }, pod()), 'job', false],
    ['Pod', pod(), 'long-running', true],
    ['Pod that is not restarted', pod({ restartPolicy: 'Never' }), 'job', false],
    ['test', withAnnotations({ 'helm.sh/hook': 'test' }, pod()), 'test', false],
  ])('knows how the pods of a %s run', (_, found, course, isLasting) => {
    const it = model(found);
    expect(only(it).course).toBe(course);
    expect(lasting(it)).toHaveLength(isLasting ? 1 : 0);
  });

  it('knows a CronJob by its schedule', () => {
    const template = { spec: { containers: [sampleContainer()] } };
    const cron = object('batch/v1', 'CronJob', 'nightly', { spec: { jobTemplate: { spec: { template } } } });
    expect(only(model(cron)).course).toBe('scheduled');
  });

  it('tells how configuration reaches a container', () => {
    const container = sampleContainer({
      env: [{ name: 'A', valueFrom: { secretKeyRef: { name: 'keys', key: 'a' } } }],
      envFrom: [{ configMapRef: { name: 'web-config' } }],
      volumeMounts: [
        { name: 'config', mountPath: '/one', subPath: 'a.json' },
        { name: 'both', mountPath: '/both' },
      ],
    });
    const volumes = [
      { name: 'config', configMap: { name: 'web-config' } },
      { name: 'both', projected: { sources: [{ secret: { name: 'keys' } }] } },
    ];
    const web = only(model(sampleConfigMap(), sampleDeployment({ containers: [container], volumes })));
    expect(web.configuration.map(({ kind, name, use }) => `${kind} ${name} ${use}`)).toEqual([
      'Secret keys environment',
      'ConfigMap web-config environment',
      'ConfigMap web-config sub-path',
      'Secret keys volume',
    ]);
    expect(web.configuration[0]?.object).toBeUndefined();
  });

  it('finds claims: rendered ones, templates, ephemeral ones', () => {
    const claim = object('v1', 'PersistentVolumeClaim', 'data', { spec: { accessModes: ['ReadWriteOnce'] } });
    const volumeClaimTemplate = { spec: { accessModes: ['ReadWriteOncePod'] } };
    const volumes = [
      { name: 'data', persistentVolumeClaim: { claimName: 'data' } },
      { name: 'scratch', ephemeral: { volumeClaimTemplate } },
    ];
    const volumeClaimTemplates = [{ metadata: { name: 'own' }, spec: { accessModes: ['ReadWriteMany'] } }];
    const set = { ...sampleDeployment({ volumes }, { volumeClaimTemplates }), kind: 'StatefulSet' };
    expect(only(model(set, claim)).claims).toEqual([
      { name: 'data', origin: 'claim', accessModes: ['ReadWriteOnce'] },
      { name: 'scratch', origin: 'ephemeral', accessModes: ['ReadWriteOncePod'] },
      { name: 'own', origin: 'template', accessModes: ['ReadWriteMany'] },
    ]);
  });

  it('finds roles by the bindings of the ServiceAccount', () => {
    const rbac = 'rbac.authorization.k8s.io/v1';
    const subjects = [{ kind: 'ServiceAccount', name: 'web', namespace: 'elsewhere' }];
    const web = only(
      model(
        sampleDeployment({ serviceAccountName: 'web' }),
        object(rbac, 'Role', 'reader', { rules: [] }),
        object(rbac, 'RoleBinding', 'reader', { roleRef: { kind: 'Role', name: 'reader' }, subjects }),
        object(rbac, 'ClusterRoleBinding', 'all', {
          roleRef: { kind: 'ClusterRole', name: 'view' },
          subjects,
        }),
        object(rbac, 'RoleBinding', 'other', {
          roleRef: { kind: 'Role', name: 'reader' },
          subjects: [{ kind: 'ServiceAccount', name: 'default' }],
        }),
      ),
    );
    expect(web.roles).toMatchObject([
      { roleName: 'Role reader', role: { kind: 'Role' }, everywhere: false },
      { roleName: 'ClusterRole view', role: undefined, everywhere: true },
    ]);
  });

  it('finds lifecycle hooks and ports of the node', () => {
    const container = sampleContainer({
      lifecycle: { preStop: { sleep: { seconds: 5 } } },
      ports: [{ containerPort: 80, hostPort: 8080 } as never],
    });
    const web = only(model(sampleDeployment({ containers: [container] })));
    expect(web.lifecycleHooks).toEqual([{ container: 'web', name: 'preStop' }]);
    expect(web.hostPorts).toEqual([8080]);
  });

  it.each([
    ['a ClusterRole', object('rbac.authorization.k8s.io/v1', 'ClusterRole', 'reader'), 'cluster-scoped'],
    ['an object with a namespace of its own', inNamespace('monitoring', sampleService()), 'own-namespace'],
    ['a fixed node port', sampleService({ ports: [{ port: 80, nodePort: 30080 }] }), 'node-port'],
    [
      'a DaemonSet in the network of the node',
      { ...sampleDeployment({ hostNetwork: true }), kind: 'DaemonSet' },
      'host-port',
    ],
  ])('exists only once with %s', (_, found, why) => {
    const [once] = model(found).existsOnce;
    expect(once).toMatchObject({ object: `${found.kind} ${found.metadata.name}`, why });
    expect(once?.says).toMatch(/^(is|has|occupies) /);
  });

  it('is installed beside itself only if it renders the same kind of names into another namespace', async () => {
    const inDefault = [inNamespace('its-own', sampleService())];
    const elsewhere = (namespace: string, ...objects: KubeObject[]) => ({ objects, namespace });
    const free = await onceBeside(inDefault, RELEASE, () =>
      Promise.resolve(elsewhere('kp-y', sampleService())),
    );
    expect(free).toEqual([]);
    const bound = await onceBeside(inDefault, RELEASE, () =>
      Promise.resolve(elsewhere('kp-y', ...inDefault)),
    );
    expect(bound.map(({ why }) => why)).toEqual(['own-namespace']);
    const hook = withAnnotations({ 'helm.sh/hook': 'pre-install' }, inNamespace('its-own', sampleService()));
    const space = object('v1', 'Namespace', 'its-own');
    const never = (): never => {
      throw new Error('it need not be rendered again');
    };
    expect(await onceBeside([hook, space], RELEASE, never)).toEqual([]);
  });

  it('can exist twice with a ClusterRole that is named after its namespace', () => {
    const role = object('rbac.authorization.k8s.io/v1', 'ClusterRole', 'reader-kp-x');
    expect(model(role, inNamespace('kp-x', sampleService()), sampleDeployment()).existsOnce).toEqual([]);
  });
});
