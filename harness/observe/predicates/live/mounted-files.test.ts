import { describe, expect, it } from 'vitest';
import type { KubeObject, PodSpec } from '../../../kube/api/types.ts';
import { filesAreCurrent, hashOfKey, mountedFiles } from './mounted-files.ts';

const configMap: KubeObject = {
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { name: 'settings' },
  data: { 'a.json': '{}', 'b.json': '[]' },
  binaryData: { logo: 'AAEC' },
};
const secret: KubeObject = {
  apiVersion: 'v1',
  kind: 'Secret',
  metadata: { name: 'keys' },
  data: { token: Buffer.from('s3cret').toString('base64') },
};
const find = (kind: string, name: string): KubeObject | undefined =>
  [configMap, secret].find((object) => object.kind === kind && object.metadata.name === name);

function paths(mounts: object[], volumes: object[]): string[] {
  const spec = { containers: [{ name: 'app', image: 'i', volumeMounts: mounts }], volumes } as PodSpec;
  return mountedFiles(spec, find).map(({ path, kind, key, use }) => `${path} ${kind} ${key} ${use}`);
}

const settings = { name: 'config', configMap: { name: 'settings' } };

describe('mountedFiles', () => {
  it('has a file for each key, or for each item', () => {
    expect(paths([{ name: 'config', mountPath: '/etc/app/' }], [settings])).toEqual([
      '/etc/app/a.json ConfigMap a.json volume',
      '/etc/app/b.json ConfigMap b.json volume',
      '/etc/app/logo ConfigMap logo volume',
    ]);
    const items = [
      { key: 'a.json', path: 'deep/a' },
      { key: 'missing', path: 'x' },
    ];
    expect(
      paths(
        [{ name: 'config', mountPath: '/etc/app' }],
        [{ name: 'config', configMap: { name: 'settings', items } }],
      ),
    ).toEqual(['/etc/app/deep/a ConfigMap a.json volume']);
  });

  it('knows Secrets and projected volumes', () => {
    const sources = [{ secret: { name: 'keys' } }, { configMap: { name: 'absent', optional: true } }];
    expect(
      paths(
        [
          { name: 'keys', mountPath: '/keys' },
          { name: 'all', mountPath: '/all' },
        ],
        [
          { name: 'keys', secret: { secretName: 'keys' } },
          { name: 'all', projected: { sources } },
        ],
      ),
    ).toEqual(['/keys/token Secret token volume', '/all/token Secret token volume']);
  });

  it('follows subPath, and leaves out what another mount covers', () => {
    expect(
      paths(
        [
          { name: 'config', mountPath: '/etc/app' },
          { name: 'config', mountPath: '/etc/app/a.json', subPath: 'b.json' },
          { name: 'config', mountPath: '/x', subPathExpr: '$(NAME)' },
        ],
        [settings],
      ),
    ).toEqual([
      '/etc/app/b.json ConfigMap b.json volume',
      '/etc/app/logo ConfigMap logo volume',
      '/etc/app/a.json ConfigMap b.json sub-path',
    ]);
  });
});

describe('filesAreCurrent', () => {
  const file = {
    pod: 'web-1',
    container: 'app',
    path: '/t',
    kind: 'Secret',
    name: 'keys',
    key: 'token',
    use: 'sub-path',
  } as const;
  const wanted = hashOfKey(secret, 'token');

  it.each([
    ['the same bytes', wanted, undefined],
    [
      'other bytes',
      'ff',
      'web-1/app has other bytes in /t than key token of Secret keys: it is mounted by subPath, which is never updated',
    ],
    [
      'no file',
      undefined,
      'web-1/app has no file /t with key token of Secret keys: it is mounted by subPath, which is never updated',
    ],
  ])('%s', (_, found, complaint) => {
    const result = filesAreCurrent([{ ...file, found, wanted }]);
    expect(result.ok).toBe(complaint === undefined);
    expect(result.actual).toBe(complaint ?? 'nothing is wrong');
  });

  it('compares bytes, not text', () => {
    expect(hashOfKey(configMap, 'logo')).not.toBe(hashOfKey(configMap, 'a.json'));
    expect(hashOfKey(configMap, 'none')).toBeUndefined();
  });
});
