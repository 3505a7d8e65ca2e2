import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import { temporaryFolder } from '../../testing/temporary-folder.ts';
import type { KubeObject } from '../api/types.ts';
import { readPrerequisites, refuseRendered } from './prerequisites.ts';

let folder: string;

beforeEach(async () => {
  folder = await temporaryFolder();
});

async function write(name: string, text: string): Promise<string> {
  await writeFile(join(folder, name), text);
  return join(folder, name);
}

const manifest = (kind: string, metadata = '{name: a}', apiVersion = 'v1'): string =>
  `apiVersion: ${apiVersion}\nkind: ${kind}\nmetadata: ${metadata}\n`;

describe('readPrerequisites', () => {
  it('reads all documents of all files, in their order', async () => {
    const first = await write('b.yaml', `${manifest('Secret')}---\n${manifest('Service')}`);
    const second = await write('a.yaml', manifest('Deployment', '{name: db}', 'apps/v1'));
    const objects = await readPrerequisites([first, second]);
    expect(objects.map(({ kind }) => kind)).toEqual(['Secret', 'Service', 'Deployment']);
  });

  it.each([
    ['without a kind', 'metadata: {name: a}\n', /is not a valid object/, 'E_MANIFEST'],
    ['without a name', manifest('Secret', '{}'), /is not a valid object/, 'E_MANIFEST'],
    ['that is no YAML', 'kind: [', /is not valid YAML/, 'E_MANIFEST'],
    ['without objects', '# nothing\n---\n', /contains no objects/, 'E_PREREQUISITES'],
    [
      'that names a namespace',
      manifest('Secret', '{name: a, namespace: prod}'),
      /Secret a names the namespace prod/,
      'E_PREREQUISITES',
    ],
    [
      'with a definition',
      manifest('CustomResourceDefinition', '{name: a.b}', 'apiextensions.k8s.io/v1'),
      /CustomResourceDefinition a\.b is cluster-scoped/,
      'E_PREREQUISITES',
    ],
    ['with a namespace', manifest('Namespace'), /Namespace a is cluster-scoped/, 'E_PREREQUISITES'],
  ])('refuses a file %s', async (_case, text, message, code) => {
    await expect(readPrerequisites([await write('db.yaml', text)])).rejects.toMatchObject({
      code,
      message: expect.stringMatching(message) as string,
      hint: expect.any(String) as string,
      exitCode: 2,
    });
  });

  it('refuses what is no file', async () => {
    const missing = readPrerequisites([join(folder, 'none.yaml')]);
    await expect(missing).rejects.toMatchObject({
      message: expect.stringMatching(/does not exist/) as string,
    });
    await expect(readPrerequisites([folder])).rejects.toMatchObject({
      message: expect.stringMatching(/is a folder/) as string,
    });
  });
});

describe('refuseRendered', () => {
  const object = (kind: string, apiVersion = 'v1', namespace?: string): KubeObject => ({
    apiVersion,
    kind,
    metadata: { name: 'a', ...(namespace !== undefined && { namespace }) },
  });

  it('refuses what the chart renders itself', () => {
    expect(() => refuseRendered([object('Secret')], [object('Secret')], { namespace: 'default' })).toThrow(
      expect.objectContaining({
        code: 'E_PREREQUISITES',
        message: 'Secret a is a prerequisite, and the chart renders it',
        hint: expect.stringMatching(/^Remove Secret a from the prerequisites/) as string,
      }) as Error,
    );
  });

  it.each([
    ['another kind', object('ConfigMap')],
    ['the kind of another API', object('Service', 'serving.knative.dev/v1')],
    ['an object of another namespace', object('Service', 'v1', 'kube-system')],
  ])('accepts %s', (_case, rendered) => {
    expect(() => refuseRendered([object('Service')], [rendered], { namespace: 'default' })).not.toThrow();
  });
});
