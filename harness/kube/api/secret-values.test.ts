import { expect, it } from 'vitest';
import { secretsIn } from './secret-values.ts';
import type { KubeObject } from './types.ts';

const base64 = (text: string | Buffer) => Buffer.from(text).toString('base64');
const secret = (rest: Record<string, unknown>): KubeObject => ({
  apiVersion: 'v1',
  kind: 'Secret',
  metadata: { name: 's', labels: { app: 'demo' } },
  ...rest,
});

it.each<[string, Record<string, unknown>, { key: string; text: string }[]]>([
  ['data', { data: { a: base64('one') } }, [{ key: 'a', text: 'one' }]],
  ['stringData', { stringData: { a: 'one' } }, [{ key: 'a', text: 'one' }]],
  [
    'a certificate',
    { type: 'kubernetes.io/tls', data: { 'tls.key': base64('k') } },
    [{ key: 'tls.key', text: 'k' }],
  ],
  [
    'bytes',
    { data: { store: base64(Buffer.from([0xff, 0xfe, 1])) } },
    [
      { key: 'store', text: '//4B' },
      { key: 'store', text: 'fffe01' },
    ],
  ],
  ["helm's record of a release", { type: 'helm.sh/release.v1', data: { release: base64('x') } }, []],
  ['no data', {}, []],
])('finds the values of a Secret with %s', (_, rest, values) => {
  expect(secretsIn([secret(rest)]).values).toEqual(values);
});

it('finds names that must stay readable, but none among the keys and values of a Secret', () => {
  const deployment: KubeObject = {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name: 'api', namespace: 'prod' },
    spec: {
      serviceName: 'api-headless',
      containers: [{ name: 'db', image: 'registry.example/postgres:16' }],
    },
  };

  const { names, values } = secretsIn([deployment, secret({ stringData: { name: 'hidden' } })]);

  expect(names).toEqual([
    'api',
    'prod',
    'api-headless',
    'db',
    'registry.example',
    'postgres',
    '16',
    's',
    'demo',
  ]);
  expect(values).toEqual([{ key: 'name', text: 'hidden' }]);
});
