import { existsSync } from 'node:fs';
import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { parse, stringify } from 'yaml';
import { UsageError } from '../../harness/core/errors.ts';
import { fakeKube, fakeNode } from '../testing/fake-kube.ts';
import { existingProvider } from './existing-provider.ts';

let folder: string;
const source = () => join(folder, 'source');
const copy = () => join(folder, 'run', 'kubeconfig');

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'kindproof-existing-'));
  await writeFile(join(folder, 'ca.crt'), 'CA');
  await writeFile(
    source(),
    stringify({
      apiVersion: 'v1',
      kind: 'Config',
      'current-context': 'production',
      contexts: ['production', 'staging'].map((name) => ({
        name,
        context: { cluster: name, user: name, namespace: 'team' },
      })),
      clusters: ['production', 'staging'].map((name) => ({
        name,
        cluster: { server: `https://${name}.example`, 'certificate-authority': 'ca.crt' },
      })),
      users: ['production', 'staging'].map((name) => ({ name, user: { token: `secret-of-${name}` } })),
    }),
  );
});
afterEach(() => rm(folder, { recursive: true }));

const connected = () => {
  const kube = fakeKube([fakeNode('n1')]);
  return { kubeconfig: source(), context: 'staging', connect: () => Promise.resolve(kube.client) };
};

describe('existingProvider', () => {
  it.each([
    [undefined, undefined, '--kubeconfig and --context'],
    ['file', undefined, '--context'],
    [undefined, 'staging', '--kubeconfig'],
    ['', 'staging', '--kubeconfig'],
  ])('rejects kubeconfig %s with context %s', (kubeconfig, context, missing) => {
    expect(() => existingProvider({ kubeconfig, context })).toThrow(`--cluster existing needs ${missing}`);
  });

  it('copies only the named context, readable only by its owner', async () => {
    const cluster = await existingProvider(connected()).attach({ kubeconfig: copy() });
    expect(cluster).toMatchObject({ provider: 'existing', context: 'staging', kubeconfig: copy() });
    expect((await stat(copy())).mode & 0o777).toBe(0o600);
    const text = await readFile(copy(), 'utf8');
    expect(text).not.toContain('production');
    expect(parse(text)).toMatchObject({
      'current-context': 'staging',
      clusters: [{ cluster: { 'certificate-authority-data': Buffer.from('CA').toString('base64') } }],
      users: [{ user: { token: 'secret-of-staging' } }],
    });
  });

  it('lists the contexts of the file for an unknown context', async () => {
    const attach = existingProvider({ ...connected(), context: 'stagign' }).attach({ kubeconfig: copy() });
    await expect(attach).rejects.toMatchObject({
      code: 'E_KUBECONFIG',
      exitCode: 2,
      hint: 'name one with --context; the file has: production, staging',
    });
    expect(existsSync(copy())).toBe(false);
  });

  it('removes its kubeconfig when the cluster does not answer', async () => {
    const connect = () => Promise.reject(new Error('connect ECONNREFUSED'));
    const attach = existingProvider({ ...connected(), connect }).attach({ kubeconfig: copy() });
    await expect(attach).rejects.toMatchObject({ code: 'E_CLUSTER_UNREACHABLE', exitCode: 2 });
    await expect(attach).rejects.toBeInstanceOf(UsageError);
    expect(existsSync(copy())).toBe(false);
  });

  it.each(['contexts: 1', '{', ''])('rejects %j as a kubeconfig', async (content) => {
    await writeFile(source(), content);
    const attach = existingProvider(connected()).attach({ kubeconfig: copy() });
    await expect(attach).rejects.toMatchObject({ code: 'E_KUBECONFIG' });
  });

  it('does not load images, and notifies the user', async () => {
    const notices: string[] = [];
    const cluster = await existingProvider(connected()).attach({
      kubeconfig: copy(),
      onNotice: (text) => notices.push(text),
    });
    await cluster.loadImages(['app:v1']);
    expect(notices).toEqual([expect.stringContaining('must be able to pull app:v1')]);
    expect(cluster.nodes).toBeUndefined();
  });
});
