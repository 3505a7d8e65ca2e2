import { describe, expect, it } from 'vitest';
import { CheckFailure, DoesNotFit, NameMissing } from '../../core/errors.ts';
import type { KubeClient } from '../../kube/api/client.ts';
import type { Recorder } from '../../observe/recorder/recorder.ts';
import { containerNamed, Release } from './release.ts';

function releaseOf(...names: string[]): Release {
  const objects = names.map((kindAndName) => {
    const [kind = '', name = ''] = kindAndName.split(' ');
    return { apiVersion: 'v1', kind, metadata: { name } };
  });
  const identity = { name: 'app', namespace: 'demo', objects, environment: undefined };
  const kube = {} as KubeClient;
  return new Release(identity, {
    kube,
    recorder: { recording: {} } as unknown as Recorder,
    signal: new AbortController().signal,
  });
}

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

it('a container is found by its name, also among the init containers', () => {
  const spec = { containers: [{ name: 'app', image: 'a' }], initContainers: [{ name: 'init', image: 'b' }] };
  expect(containerNamed(spec, 'init', 'pod p').image).toBe('b');
  expect(() => containerNamed(spec, 'api', 'pod p')).toThrow(new NameMissing('pod p has no container api'));
});
