import { expect, it } from 'vitest';
import { documentedEntry, settingsOf, withResources } from './registry-entry.ts';

it('an entry stands for values, templates and all', () => {
  expect(settingsOf(documentedEntry('demo'))).toEqual([
    'replicaCount=2',
    'resources.requests.cpu=100m',
    'resources.requests.memory=128Mi',
    'resources.limits.cpu=500m',
    'resources.limits.memory=512Mi',
    'service.type=ClusterIP',
    'service.port=8080',
    'env.GITHUB_TOKEN=\\{\\{.Values.github.token\\}\\}',
  ]);
});

it('a server keeps its own resources, where it has all of them', () => {
  const entry = documentedEntry('demo');
  const own = { requests: { cpu: '1', memory: '1Gi' }, limits: { cpu: '2', memory: '2Gi' } };
  expect(withResources(entry, own).resources).toEqual(own);
  expect(withResources(entry, { limits: own.limits })).toBe(entry);
  expect(withResources(entry, undefined)).toBe(entry);
});
