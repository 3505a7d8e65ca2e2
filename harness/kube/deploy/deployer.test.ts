import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { ChartSource, Helm } from '../helm/types.ts';
import type { KubeClient } from '../api/client.ts';
import { ApiError } from '../api/errors.ts';
import type { KubeObject } from '../api/types.ts';
import { temporaryFolder } from '../../testing/temporary-folder.ts';
import { createDeployer, type Deployer } from './deployer.ts';
import { createManifestDeployer } from './manifest-deployer.ts';

const CONFIG = 'apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: config\n  namespace: production\n';
const SECRET = 'apiVersion: v1\nkind: Secret\nmetadata:\n  name: secret\n';
const BOTH = `${CONFIG}---\napiVersion: v1\nkind: Namespace\nmetadata:\n  name: production\n`;

async function folder(files: Record<string, string>): Promise<string> {
  const root = await temporaryFolder();
  for (const [name, text] of Object.entries(files)) {
    await mkdir(join(root, name, '..'), { recursive: true });
    await writeFile(join(root, name), text);
  }
  return root;
}

/** A cluster that records operations and rejects the objects named in `refuse`. */
function cluster(refuse: Record<string, ApiError> = {}): { kube: KubeClient; done: string[] } {
  const done: string[] = [];
  const kube: Partial<KubeClient> = {
    apply: (object: KubeObject, options) => {
      const error = refuse[object.metadata.name];
      if (error) return Promise.reject(error);
      done.push(`apply ${object.kind} ${options?.namespace ?? ''}/${object.metadata.name}`);
      return Promise.resolve(object);
    },
    delete: (kind, ref) => {
      done.push(`delete ${typeof kind === 'string' ? kind : kind.kind} ${ref.namespace ?? ''}/${ref.name}`);
      return Promise.resolve();
    },
  };
  return { kube: { ...kube, teardown: kube } as KubeClient, done };
}

const source = (chart: string, more: Partial<ChartSource> = {}): ChartSource => ({
  chart,
  values: [],
  set: [],
  releaseName: 'app',
  namespace: 'kp-1',
  ...more,
});
const { signal } = new AbortController();

describe('a folder of plain manifests', () => {
  it('is applied file by file into the namespace of the run, and deleted in reverse order', async () => {
    const chart = await folder({ 'b.yaml': SECRET, 'a.yml': BOTH, 'notes.txt': 'x', 'sub/c.yaml': SECRET });
    const { kube, done } = cluster();
    const deployer = createManifestDeployer({ kube, signal });
    await deployer.install(source(chart));
    await deployer.uninstall({ releaseName: 'app', namespace: 'kp-1' });
    // The Namespace in the files is skipped; the run has its own.
    expect(done).toEqual([
      'apply ConfigMap kp-1/config',
      'apply Secret kp-1/secret',
      'delete Secret kp-1/secret',
      'delete ConfigMap kp-1/config',
    ]);
  });

  it('renders with patches and without a namespace', async () => {
    const chart = await folder({ 'a.yaml': CONFIG });
    const patch = {
      target: { kind: 'ConfigMap' },
      ops: [{ op: 'add', path: '/data', value: { a: '1' } }],
    } as const;
    const { objects } = await createManifestDeployer({ signal }).render(source(chart, { patches: [patch] }));
    expect(objects).toEqual([
      { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'config' }, data: { a: '1' } },
    ]);
  });

  it('names a rejected object, and passes on server errors', async () => {
    const chart = await folder({ 'a.yaml': CONFIG });
    const install = (status: number): Promise<unknown> =>
      createManifestDeployer({
        ...cluster({ config: new ApiError('apply', status, 'Invalid', 'no') }),
        signal,
      }).install(source(chart));
    await expect(install(422)).rejects.toMatchObject({
      code: 'E_APPLY',
      message: expect.stringMatching(/refuses ConfigMap config.*no/) as string,
    });
    await expect(install(503)).rejects.toMatchObject({ code: 'E_API' });
  });

  it.each<[string, Record<string, string>, Partial<ChartSource>, string, RegExp]>([
    ['--set', { 'a.yaml': CONFIG }, { set: ['a=1'] }, 'E_VALUES', /take no values: --set a=1/],
    ['broken YAML', { 'a.yaml': 'kind: "x' }, {}, 'E_MANIFEST', /a\.yaml is not valid YAML/],
    ['no object', { 'a.yaml': '# nothing\n' }, {}, 'E_MANIFEST', /contain no objects/],
    [
      'a kustomization',
      { 'a.yaml': CONFIG, 'kustomization.yaml': 'resources: []' },
      {},
      'E_MANIFEST',
      /kustomization/,
    ],
  ])('rejects %s before anything is created', async (_what, files, more, code, message) => {
    const chart = await folder(files);
    const validated = createManifestDeployer({ signal }).validateSubject(source(chart, more));
    await expect(validated).rejects.toMatchObject({
      code,
      message: expect.stringMatching(message) as string,
      exitCode: 2,
    });
  });
});

describe('the choice between helm and plain manifests', () => {
  const recorder = (name: string, calls: string[]): Deployer => {
    const note = (call: string) => () => {
      calls.push(`${name} ${call}`);
      return Promise.resolve();
    };
    const noted: Partial<Deployer> = { install: note('install'), uninstall: note('uninstall') };
    return noted as Deployer;
  };

  it.each([
    ['a chart', { 'Chart.yaml': 'name: c\n', 'values.yaml': 'a: 1\n' }, 'helm'],
    ['manifests', { 'a.yaml': CONFIG }, 'manifests'],
    // Helm reports what is wrong with it.
    ['an empty folder', {}, 'helm'],
  ])('%s', async (_what, files, expected) => {
    const calls: string[] = [];
    const deployer = createDeployer(recorder('helm', calls) as unknown as Helm, recorder('manifests', calls));
    const subject = source(await folder(files));
    await deployer.install(subject);
    await deployer.uninstall(subject);
    expect(calls).toEqual([`${expected} install`, `${expected} uninstall`]);
  });
});
