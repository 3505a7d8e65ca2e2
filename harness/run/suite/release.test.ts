import { describe, expect, it } from 'vitest';
import { CheckFailure, DoesNotFit, NameMissing } from '../../core/errors.ts';
import type { KubeClient } from '../../kube/api/client.ts';
import type { Recorder } from '../../observe/recorder/recorder.ts';
import type { Node } from '../../kube/api/types.ts';
import { makeDeployment, makeNode } from '../../testing/sample-world.ts';
import { containerNamed, Release } from './release.ts';

function releaseOf(...names: string[]): Release {
  return releaseOn({}, ...names);
}

function releaseOn(kube: Partial<KubeClient>, ...names: string[]): Release {
  const objects = names.map((kindAndName) => {
    const [kind = '', name = ''] = kindAndName.split(' ');
    const template = { spec: { containers: [] } };
    return {
      apiVersion: 'v1',
      kind,
      metadata: { name },
      ...(kind === 'DaemonSet' ? { spec: { template } } : {}),
    };
  });
  const identity = { name: 'app', namespace: 'demo', objects, environment: undefined };
  return new Release(identity, {
    kube: kube as KubeClient,
    recorder: { recording: {} } as unknown as Recorder,
    signal: new AbortController().signal,
  });
}

describe('the pods of a release', () => {
  it('are those of the workloads that ask for some', async () => {
    const { metadata, spec } = makeDeployment({ name: 'web' });
    const object = (name: string, replicas: number) => ({
      apiVersion: 'apps/v1',
      kind: 'Deployment',
      metadata: { name },
      spec: { replicas },
    });
    const asked: string[] = [];
    const kube: Partial<KubeClient> = {
      get: ((_kind: string, ref: { name: string }) => {
        asked.push(ref.name);
        return Promise.resolve({ kind: 'Deployment', metadata, spec });
      }) as KubeClient['get'],
      list: () => Promise.resolve([]),
    };
    const release = releaseOn(kube);
    release.replaceObjects([object('web', 3), object('worker', 0)]);
    await expect(release.pods()).rejects.toThrow(/has no pods/);
    expect(asked).toEqual(['web']);
  });
});

describe('an object that a check asks for', () => {
  const release = releaseOf('Deployment app', 'Service one', 'Service two');

  it('is found by its name, or as the only one of its kind', () => {
    expect(release.rendered('Deployment').metadata.name).toBe('app');
    expect(release.rendered('Service', 'two').metadata.name).toBe('two');
  });

  it('does not fit the check when there are several', () => {
    const ask = (): unknown => release.rendered('Service');
    expect(ask).toThrow(DoesNotFit);
    expect(ask).toThrow('the chart renders 2 Service objects, and the check expects one');
  });

  it('does not fit the check when it has another name', () => {
    expect(() => release.deployment('server')).toThrow(NameMissing);
    expect(() => release.rendered('Ingress', 'web')).toThrow(/^the chart renders no Ingress web$/);
  });

  it('is a broken promise when there is none of its kind', () => {
    expect(() => release.daemonSet()).toThrow(CheckFailure);
    expect(() => release.daemonSet()).toThrow(/^the chart renders no DaemonSet$/);
  });
});

it('a chart without a workload does not fit what waits for one', async () => {
  await expect(releaseOf('Job migrate').rolledOut()).rejects.toThrow(DoesNotFit);
});

describe('a release of DaemonSets that want no pod', () => {
  const daemonSet = makeDeployment({
    kind: 'DaemonSet',
    name: 'agent',
    status: { desiredNumberScheduled: 0 },
  });
  daemonSet.spec.template.spec.nodeSelector = { gpu: 'true' };
  const taints = [{ key: 'gpu', value: 'present', effect: 'NoSchedule' }];
  const kubeWith = (nodes: Node[]): Partial<KubeClient> => ({
    get: (() => Promise.resolve(daemonSet)) as KubeClient['get'],
    list: ((kind: string) => Promise.resolve(kind === 'Node' ? nodes : [])) as KubeClient['list'],
  });

  it('is reported by its rollout, which is complete, once and with the cause', async () => {
    const kube = kubeWith([makeNode('w1'), makeNode('g1', { labels: { gpu: 'true' }, taints })]);
    await expect(releaseOn(kube, 'DaemonSet agent').rolledOut()).rejects.toThrow(
      /^DaemonSet agent wants pods on 0 of 2 nodes; it asks for gpu=true, and g1 is selected, but its taint gpu=present:NoSchedule is not tolerated$/,
    );
  });

  it('is fine where no node is meant', async () => {
    await expect(
      releaseOn(kubeWith([makeNode('w1')]), 'DaemonSet agent').rolledOut(),
    ).resolves.toBeUndefined();
  });
});

it('a container is found by its name, also among the init containers', () => {
  const spec = { containers: [{ name: 'app', image: 'a' }], initContainers: [{ name: 'init', image: 'b' }] };
  expect(containerNamed(spec, 'init', 'pod p').image).toBe('b');
  expect(() => containerNamed(spec, 'api', 'pod p')).toThrow(new NameMissing('pod p has no container api'));
});
