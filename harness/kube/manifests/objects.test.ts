import { describe, expect, it } from 'vitest';
import {
  allContainers,
  find,
  hookEvents,
  imagesOf,
  isHelmTest,
  longRunning,
  ofKind,
  podTemplateOf,
  workloads,
} from './objects.ts';
import {
  object,
  sampleContainer,
  sampleDeployment,
  samplePodSpec,
  sampleSystem,
} from '../../testing/sample-objects.ts';

const template = { template: { spec: samplePodSpec() } };

it('a kind of Kubernetes is not the one of another API', () => {
  const ours = object('v1', 'Service', 'a');
  const monitor = object('monitoring.coreos.com/v1', 'ServiceMonitor', 'm');
  const objects = [ours, object('serving.knative.dev/v1', 'Service', 'b'), monitor];
  expect(ofKind(objects, 'Service')).toEqual([ours]);
  expect(ofKind(objects, 'ServiceMonitor')).toEqual([monitor]);
});

describe('podTemplateOf', () => {
  it.each([
    ['Pod', samplePodSpec(), '/spec'],
    ['StatefulSet', template, '/spec/template/spec'],
    ['Job', template, '/spec/template/spec'],
    ['CronJob', { jobTemplate: { spec: template } }, '/spec/jobTemplate/spec/template/spec'],
  ])('returns the pod template of a %s', (kind, spec, path) => {
    const found = podTemplateOf(object('v1', kind, 'x', { spec }));
    expect(found?.path).toBe(path);
    expect(found?.spec.containers[0]?.name).toBe('web');
  });

  it.each([
    ['another kind', object('v1', 'Service', 'x', { spec: {} })],
    ['a kind of another API', object('batch.volcano.sh/v1alpha1', 'Job', 'x', { spec: template })],
    ['an object without a spec', object('apps/v1', 'Deployment', 'x')],
  ])('returns undefined for %s', (_title, thing) => {
    expect(podTemplateOf(thing)).toBeUndefined();
  });
});

describe('allContainers', () => {
  it('returns role and path of init, sidecar, main and ephemeral containers', () => {
    const spec = samplePodSpec({
      initContainers: [
        sampleContainer({ name: 'setup' }),
        sampleContainer({ name: 'proxy', restartPolicy: 'Always' }),
      ],
      ephemeralContainers: [sampleContainer({ name: 'debug' })],
    });
    expect(allContainers(spec).map((c) => [c.role, c.container.name, c.path])).toEqual([
      ['init', 'setup', '/initContainers/0'],
      ['sidecar', 'proxy', '/initContainers/1'],
      ['main', 'web', '/containers/0'],
      ['ephemeral', 'debug', '/ephemeralContainers/0'],
    ]);
  });
});

describe('imagesOf', () => {
  it('lists each reference once, with every container that uses it', () => {
    const init = sampleContainer({ name: 'setup' });
    const other = sampleContainer({ name: 'proxy', image: 'proxy:2' });
    const uses = imagesOf([
      sampleDeployment({ initContainers: [init], containers: [sampleContainer(), other] }),
    ]);
    expect(uses.map((u) => [u.ref, u.namedBy.map((n) => `${n.role} ${n.container}`)])).toEqual([
      ['example.org/web:1.2.3', ['init setup', 'main web']],
      ['proxy:2', ['main proxy']],
    ]);
  });
});

describe('hooks', () => {
  const hook = (events: string): ReturnType<typeof object> => {
    const pod = object('v1', 'Pod', 'h', { spec: samplePodSpec() });
    pod.metadata.annotations = { 'helm.sh/hook': events };
    return pod;
  };

  it('have their events parsed', () => {
    expect(hookEvents(hook('pre-install, pre-upgrade'))).toEqual(['pre-install', 'pre-upgrade']);
    expect(hookEvents(sampleDeployment())).toEqual([]);
  });

  it('are workloads except for test pods, and are never long-running', () => {
    const [test, migration, web] = [hook('test'), hook('pre-install'), sampleDeployment()];
    expect([test, migration, web].map(isHelmTest)).toEqual([true, false, false]);
    expect(workloads([test, migration, web])).toEqual([migration, web]);
    expect(longRunning([test, migration, web])).toEqual([web]);
  });
});

describe('find', () => {
  it('finds by kind and name, or the first of its kind', () => {
    const objects = sampleSystem();
    expect(find(objects, 'ConfigMap')?.metadata.name).toBe('web-config');
    expect(find(objects, 'ConfigMap', 'other')).toBeUndefined();
  });
});
