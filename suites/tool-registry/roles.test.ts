import { describe, expect, it } from 'vitest';
import type { Container, KubeObject } from '../../harness/kube/api/types.ts';
import { object, sampleContainer } from '../../harness/testing/sample-objects.ts';
import { NameMissing } from '../../harness/core/errors.ts';
import { rolesOf, serviceOf, servicesOf } from './roles.ts';

const URL = { name: 'STORE', value: 'postgresql+asyncpg://x:y@z:5432/w' };
const container = (name: string, more: Partial<Container> = {}): Container =>
  sampleContainer({ name, ports: [], volumeMounts: [], ...more });

function deployment(name: string, containers: Container[], initContainers: Container[] = []): KubeObject {
  const labels = { app: name };
  const template = { metadata: { labels }, spec: { containers, initContainers } };
  return object('apps/v1', 'Deployment', name, { spec: { selector: { matchLabels: labels }, template } });
}

function service(name: string, app: string, more: Record<string, unknown> = {}): KubeObject {
  const spec = { selector: { app }, ports: [{ port: 80, targetPort: 'web' }], ...more };
  return object('v1', 'Service', name, { spec });
}

const of = (...objects: KubeObject[]) => ({ objects, namespace: 'default' });
const web = container('web', { ports: [{ name: 'web', containerPort: 9000 }], env: [URL] });

describe('the roles of a registry', () => {
  it('are decided by the documented names', () => {
    const api = container('api', { ports: [{ name: 'web', containerPort: 8000 }], env: [URL] });
    const migrations = container('migrations', { env: [URL] });
    const rendered = of(
      deployment('other', [container('x', { env: [URL] })]),
      service('other', 'other'),
      deployment('tool-registry-api', [container('proxy'), api], [container('wait'), migrations]),
      service('tool-registry-api', 'nobody'),
    );
    const roles = rolesOf(rendered);
    expect(roles).toMatchObject({ server: { name: 'api' }, port: 8000 });
    expect(roles.deployment.metadata.name).toBe('tool-registry-api');
    expect(roles.migrations).toMatchObject({ container: { name: 'migrations' }, isSeparate: true });
    // Whatever it selects.
    expect(serviceOf(rendered).metadata.name).toBe('tool-registry-api');
    expect(servicesOf(rendered).map(({ metadata }) => metadata.name)).toEqual(['tool-registry-api']);
  });

  it('are found by references under other names, with the migrations in the command', () => {
    const worker = deployment('worker', [container('work', { env: [URL] })]);
    const rendered = of(
      service('headless', 'catalogue', { clusterIP: 'None' }),
      service('catalogue', 'catalogue'),
      service('cache', 'cache'),
      worker,
      deployment('cache', [container('cache')]),
      deployment('catalogue', [container('proxy'), web]),
    );
    const roles = rolesOf(rendered);
    expect(roles.deployment.metadata.name).toBe('catalogue');
    expect(roles).toMatchObject({ server: { name: 'web' }, port: 9000, workers: [worker] });
    expect(roles.migrations).toMatchObject({ container: { name: 'web' }, isSeparate: false });
    expect(serviceOf(rendered).metadata.name).toBe('catalogue');
    expect(servicesOf(rendered).map(({ metadata }) => metadata.name)).toEqual(['headless', 'catalogue']);
  });

  it.each<[string, Partial<Container>]>([
    ['uses the database', { env: [URL] }],
    ['says so in its command', { command: ['sh', '-c', 'alembic upgrade head'] }],
  ])('take an init container that %s as the migrations', (_title, more) => {
    const { migrations } = rolesOf(
      of(
        deployment('catalogue', [web], [container('wait'), container('schema', more)]),
        service('c', 'catalogue'),
      ),
    );
    expect(migrations).toMatchObject({ container: { name: 'schema' }, isSeparate: true });
  });

  it('are missing when nothing serves', () => {
    const objects = of(deployment('worker', [web]), deployment('mailer', [web]));
    expect(() => rolesOf(objects)).toThrow(NameMissing);
  });

  it('cannot be told when two could serve', () => {
    const objects = [deployment('a', [web]), service('a', 'a'), deployment('b', [web]), service('b', 'b')];
    expect(() => rolesOf(of(...objects))).toThrow(/2 candidates .* Deployment a and Deployment b/);
  });
});
