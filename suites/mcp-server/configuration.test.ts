import { describe, expect, it } from 'vitest';
import type { Container, KubeObject } from '../../harness/kube/api/types.ts';
import { fromConfigMaps, mountedTexts } from './configuration.ts';
import { serverIn } from './server.ts';

const use = (name: string, data: Record<string, string>) => ({
  kind: 'ConfigMap' as const,
  name,
  object: { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name }, data } as KubeObject,
});
const from = (name: string, prefix?: string) => ({ configMapRef: { name }, ...(prefix && { prefix }) });
const container = (parts: object): Container => ({ name: 'main', image: 'a:1', ...parts });
const uses = [use('one', { COLOUR: 'blue', 'file.txt': 'x' }), use('two', { COLOUR: 'green' })];

describe('fromConfigMaps', () => {
  it.each([
    ['one source', { envFrom: [from('one')] }, { COLOUR: 'blue' }],
    ['the last of two', { envFrom: [from('one'), from('two')] }, { COLOUR: 'green' }],
    ['a prefix', { envFrom: [from('one', 'APP_')] }, { APP_COLOUR: 'blue' }],
    ['env', { envFrom: [from('one')], env: [{ name: 'COLOUR', value: 'red' }] }, {}],
    ['a later source that is not known', { envFrom: [from('one'), { secretRef: { name: 's' } }] }, {}],
    ['no source', {}, {}],
  ])('knows what counts with %s', (_title, parts, wanted) => {
    const found = [...fromConfigMaps(container(parts), uses)].map(([name, { value }]) => [name, value]);
    expect(Object.fromEntries(found)).toEqual(wanted);
  });
});

describe('mountedTexts', () => {
  const server = (mount: object, volume: object = { configMap: { name: 'one' } }, more: object[] = []) =>
    serverIn([
      {
        apiVersion: 'apps/v1',
        kind: 'Deployment',
        metadata: { name: 'web' },
        spec: {
          template: {
            spec: {
              containers: [
                container({ volumeMounts: [{ name: 'config', mountPath: '/etc/app/', ...mount }, ...more] }),
              ],
              volumes: [{ name: 'config', ...volume }],
            },
          },
        },
      },
    ]);

  it.each([
    ['a whole ConfigMap', server({}), ['/etc/app/COLOUR', '/etc/app/file.txt']],
    ['a part by subPath', server({ subPath: 'file.txt' }), []],
    ['items', server({}, { configMap: { name: 'one', items: [{ key: 'file.txt', path: 'f' }] } }), []],
    ['another volume', server({}, { emptyDir: {} }), []],
    [
      'a file that another mount hides',
      server({}, undefined, [{ name: 'data', mountPath: '/etc/app/COLOUR' }]),
      ['/etc/app/file.txt'],
    ],
  ])('knows the files of %s', (_title, given, paths) => {
    expect(mountedTexts(given, uses).map(({ path }) => path)).toEqual(paths);
  });
});
