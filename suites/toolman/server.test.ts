import { describe, expect, it } from 'vitest';
import type { KubeObject, PodSpec } from '../../harness/kube/api/types.ts';
import { object } from '../../harness/testing/sample-objects.ts';
import {
  budgetOf,
  claimIn,
  claimOf,
  configurationOf,
  dockerDaemonIn,
  portOf,
  serverIn,
  serviceOf,
  storageOf,
} from './server.ts';

const namespace = 'demo';
const at = (...objects: KubeObject[]) => ({ objects, namespace });

function deployment(name: string, spec: Partial<PodSpec>, labels = { app: name }): KubeObject {
  return object('apps/v1', 'Deployment', name, {
    spec: {
      selector: { matchLabels: labels },
      template: { metadata: { labels }, spec: { containers: [{ name: 'one', image: 'one:1' }], ...spec } },
    },
  });
}

const worker = deployment('worker', {
  volumes: [
    { name: 'config', configMap: { name: 'routes' } },
    { name: 'spool', persistentVolumeClaim: { claimName: 'spool' } },
  ],
});

/** What a container and a pod of the application have under names that are not the documented ones. */
const hub = (name = 'hub'): KubeObject =>
  deployment(name, {
    containers: [
      { name: 'mesh', image: 'mesh:1' },
      {
        name: 'app',
        image: 'app:1',
        ports: [{ name: 'rail', containerPort: 3000 }],
        volumeMounts: [
          { name: 'archive', mountPath: '/archive' },
          { name: 'ca', mountPath: '/etc/ca' },
          { name: 'routes', mountPath: '/config' },
          { name: 'depot', mountPath: '/data' },
        ],
      },
    ],
    volumes: [
      { name: 'archive', persistentVolumeClaim: { claimName: 'archive' } },
      { name: 'ca', configMap: { name: 'ca' } },
      {
        name: 'routes',
        configMap: { name: 'routes', items: [{ key: 'all', path: 'servers-config.json' }] },
      },
      { name: 'depot', persistentVolumeClaim: { claimName: 'depot' } },
    ],
  });

const service = (name: string, app: string, spec: Record<string, unknown> = {}): KubeObject =>
  object('v1', 'Service', name, {
    spec: { selector: { app }, ports: [{ port: 80, targetPort: 'rail' }], ...spec },
  });

const claim = (name: string): KubeObject => object('v1', 'PersistentVolumeClaim', name, { spec: {} });

describe('the server', () => {
  it('is Deployment toolman, whatever else there is', () => {
    expect(serverIn(at(hub(), deployment('toolman', {}))).workload.title).toBe('Deployment toolman');
  });

  it('is otherwise what has the documented port, and its container the one with that port', () => {
    const server = serverIn(at(worker, hub()));
    expect(server.workload.title).toBe('Deployment hub');
    expect(server.container.name).toBe('app');
    expect(portOf(server)).toEqual({ number: 3000, name: 'rail' });
  });

  it('cannot be told between two that are alike', () => {
    expect(() => serverIn(at(hub(), hub('other')))).toThrow(
      '2 candidates for the server, and none has the documented name: Deployment hub and Deployment other',
    );
  });
});

describe('its Service', () => {
  it('is the one that leads to its port', () => {
    const objects = [hub(), service('metrics', 'hub', { ports: [{ port: 9090 }] }), service('front', 'hub')];
    expect(serviceOf(at(worker, service('other', 'worker'), ...objects)).metadata.name).toBe('front');
  });

  it('is not a headless one beside another', () => {
    const headless = service('peers', 'hub', { clusterIP: 'None' });
    expect(serviceOf(at(hub(), headless, service('front', 'hub'))).metadata.name).toBe('front');
  });

  it('is one that selects nothing, when there is no other: that is its failure', () => {
    expect(serviceOf(at(hub(), service('front', 'nobody'))).metadata.name).toBe('front');
  });

  it('is missed when there is none', () => {
    expect(() => serviceOf(at(worker, service('other', 'worker'), hub()))).toThrow(
      'the chart renders no Service for Deployment hub',
    );
  });
});

it('its configuration is what is mounted at the documented folder', () => {
  expect(configurationOf(at(hub()))).toEqual({
    name: 'routes',
    volume: 'routes',
    key: 'all',
    file: '/config/servers-config.json',
  });
});

describe('its claim', () => {
  it('is the one at the documented folder', () => {
    expect(claimOf(at(worker, hub(), claim('archive'), claim('depot'), claim('spool')))).toMatchObject({
      name: 'depot',
      folder: '/data',
    });
  });

  it('is one that no pod mounts, when it mounts none: that is its failure', () => {
    const bare = deployment('toolman', {});
    expect(claimOf(at(worker, bare, claim('spool'), claim('lost'))).name).toBe('lost');
    expect(() => claimOf(at(worker, bare, claim('spool')))).toThrow('renders no PersistentVolumeClaim');
  });
});

describe('what its claim asks for', () => {
  const spec = { storageClassName: 'fast', resources: { requests: { storage: '1Gi' } } };

  it('is in the claim of the chart, among several', () => {
    const depot = object('v1', 'PersistentVolumeClaim', 'depot', { spec });
    const claimed = claimIn(at(worker, hub(), claim('archive'), depot, claim('spool')));
    expect(storageOf(claimed)).toEqual({ size: '1Gi', storageClass: 'fast' });
  });

  it('is unknown for a claim that exists already, and without one', () => {
    const nothing = { size: undefined, storageClass: undefined };
    expect(storageOf(claimIn(at(hub())))).toEqual(nothing);
    expect(claimIn(at(deployment('toolman', {})))).toBeUndefined();
    expect(storageOf(undefined)).toEqual(nothing);
  });
});

describe('its disruption budget', () => {
  const budget = (name: string, app: string): KubeObject =>
    object('policy/v1', 'PodDisruptionBudget', name, { spec: { selector: { matchLabels: { app } } } });

  it('is the one that selects its pods', () => {
    const objects = [budget('workers', 'worker'), budget('hubs', 'hub')];
    expect(budgetOf(at(worker, hub(), ...objects)).metadata.name).toBe('hubs');
  });

  it('is missed when there are only those of others', () => {
    expect(() => budgetOf(at(worker, hub(), budget('workers', 'worker')))).toThrow(
      'the chart renders no PodDisruptionBudget for Deployment hub',
    );
  });
});

describe('the Docker daemon beside it', () => {
  const beside = (...more: { name: string; image: string }[]): KubeObject =>
    deployment('toolman', { containers: [...more, { name: 'toolman', image: 'toolman:1' }] });

  it.each([
    ['has the documented name', { name: 'docker-daemon', image: 'own:1' }],
    ['runs its image', { name: 'moby', image: 'docker.io/library/docker:28-dind' }],
  ])('is the container that %s', (_, daemon) => {
    const server = serverIn(at(beside({ name: 'mesh', image: 'mesh:1' }, daemon)));
    expect(dockerDaemonIn(server).name).toBe(daemon.name);
  });

  it('is missed when there is no other container', () => {
    expect(() => dockerDaemonIn(serverIn(at(beside())))).toThrow('nothing that could be the Docker daemon');
  });
});
