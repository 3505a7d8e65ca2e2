import { describe, expect, it } from 'vitest';
import { object, sampleContainer, sampleDeployment } from '../../testing/sample-objects.ts';
import type { Container, KubeObject, PodSpec } from '../api/types.ts';
import { handOver } from './hand-over.ts';
import { podSpecOf } from './objects.ts';

const URL = 'postgresql://owner:p%40ss@db:5432/tools';
const DATABASE = { names: ['DATABASE_URL'], like: '^postgres(ql)?://' };

const deployment = (container: Partial<Container>, spec: Partial<PodSpec> = {}): KubeObject =>
  sampleDeployment({ containers: [sampleContainer(container)], ...spec });
const secret = (data: Record<string, string>, form = 'stringData'): KubeObject =>
  object('v1', 'Secret', 'credentials', { [form]: data });
const config = (data: Record<string, string>): KubeObject => object('v1', 'ConfigMap', 'settings', { data });
const fromSecret = (name: string, key: string) => ({
  name,
  valueFrom: { secretKeyRef: { name: 'credentials', key } },
});

function handed(objects: KubeObject[], value: string | null = URL): KubeObject[] {
  const copies = structuredClone(objects);
  handOver(copies, { ...DATABASE, value });
  return copies;
}

const envOf = (found: KubeObject | undefined) => (found ? podSpecOf(found)?.containers[0]?.env : undefined);

describe('handOver', () => {
  it.each<[string, KubeObject[]]>([
    ['under the documented key', [deployment({ env: [fromSecret('DATABASE_URL', 'DATABASE_URL')] })]],
    ['under another key', [deployment({ env: [fromSecret('DATABASE_URL', 'database-url')] })]],
    ['under another variable', [deployment({ env: [fromSecret('STORE', 'database-url')] })]],
  ])('writes into the Secret from which the container reads it, %s', (_title, [reader]) => {
    const key = envOf(reader)?.[0]?.valueFrom?.['secretKeyRef']?.key ?? '';
    const [, found] = handed([reader!, secret({ [key]: '', other: 'x' })]);
    expect(found?.['stringData']).toEqual({ [key]: URL, other: 'x' });
  });

  it('knows a URL by its form, whatever it is called, and keeps it encoded', () => {
    const present = Buffer.from('postgresql://x:y@z:5432/w').toString('base64');
    const [, found] = handed([
      deployment({ env: [fromSecret('STORE', 'dsn')] }),
      secret({ dsn: present }, 'data'),
    ]);
    expect(found?.['data']).toEqual({ dsn: Buffer.from(URL).toString('base64') });
  });

  it('adds a key that a container takes and the Secret does not have', () => {
    const [, found] = handed([deployment({ env: [fromSecret('DATABASE_URL', 'url')] }), secret({})]);
    expect(found?.['stringData']).toEqual({ url: URL });
  });

  it('follows envFrom with its prefix', () => {
    const envFrom = [{ prefix: 'DATABASE_', configMapRef: { name: 'settings' } }];
    const [, found] = handed([deployment({ envFrom }), config({ URL: '', LOG: 'x' })]);
    expect(found?.['data']).toEqual({ URL, LOG: 'x' });
  });

  it.each<[string, object]>([
    ['a Secret', { secret: { secretName: 'credentials' } }],
    [
      'one of its keys',
      { secret: { secretName: 'credentials', items: [{ key: 'k', path: 'database-url' }] } },
    ],
    ['a projected volume', { projected: { sources: [{ secret: { name: 'credentials' } }] } }],
  ])('follows a mounted file of %s', (_title, source) => {
    const key = JSON.stringify(source).includes('"k"') ? 'k' : 'database-url';
    const spec = { volumes: [{ name: 'files', ...source }] };
    const mounted = deployment({ volumeMounts: [{ name: 'files', mountPath: '/run' }] }, spec);
    const [, found] = handed([mounted, secret({ [key]: 'x' })]);
    expect(found?.['stringData']).toEqual({ [key]: URL });
  });

  it('writes a value that stands in the container itself, for every container', () => {
    const env = [{ name: 'DATABASE_URL', value: 'x' }];
    const spec = { initContainers: [sampleContainer({ name: 'first', env })] };
    const [found] = handed([deployment({ env }, spec)]);
    expect(envOf(found)).toEqual([{ name: 'DATABASE_URL', value: URL }]);
    expect(podSpecOf(found!)?.initContainers?.[0]?.env).toEqual([{ name: 'DATABASE_URL', value: URL }]);
  });

  it('hands a URL that is composed of other variables over in its parts', () => {
    const env = [
      fromSecret('DB_PASSWORD', 'password'),
      { name: 'DB_USER', value: 'x' },
      { name: 'DATABASE_URL', value: 'postgresql://$(DB_USER):$(DB_PASSWORD)@elsewhere:1/x' },
    ];
    const [found, credentials] = handed([deployment({ env }), secret({ password: 'x' })]);
    expect(credentials?.['stringData']).toEqual({ password: 'p%40ss' });
    expect(envOf(found)).toEqual([
      env[0],
      { name: 'DB_USER', value: 'owner' },
      { name: 'DATABASE_URL', value: 'postgresql://$(DB_USER):$(DB_PASSWORD)@db:5432/tools' },
    ]);
  });

  it('removes the key', () => {
    const [, found] = handed(
      [deployment({ env: [fromSecret('DATABASE_URL', 'url')] }), secret({ url: 'x' })],
      null,
    );
    expect(found?.['stringData']).toEqual({});
  });

  it('says what the containers read when none reads it, unless it is optional', () => {
    const objects = [deployment({ env: [{ name: 'STORE', value: 'file' }] })];
    expect(() => handed(objects)).toThrow(
      expect.objectContaining({
        code: 'E_PATCH_TARGET',
        message: 'no container reads DATABASE_URL',
        hint: 'The containers read: STORE, a.json',
      }),
    );
    expect(() => handOver(objects, { ...DATABASE, value: URL, optional: true })).not.toThrow();
  });

  it('says which object is not rendered', () => {
    const objects = [deployment({ env: [fromSecret('DATABASE_URL', 'url')] })];
    expect(() => handed(objects)).toThrow(
      'container web of Deployment web reads DATABASE_URL from key url of Secret credentials, which is not rendered',
    );
  });
});
