import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { ChartSource, Helm } from '../helm/types.ts';
import type { KindRef, KubeClient } from '../api/client.ts';
import { ApiError } from '../api/errors.ts';
import type { KubeObject, Metadata } from '../api/types.ts';
import { RUN_LABEL } from '../../core/run-id.ts';
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

const ROLE = 'apiVersion: rbac.authorization.k8s.io/v1\nkind: ClusterRole\nmetadata:\n  name: reader\n';

const kindOf = (kind: KindRef): string => (typeof kind === 'string' ? kind : kind.kind);

/** A cluster that records operations and rejects the objects named in `refuse`. It has the namespace `kp-1` of run `r1`. */
function cluster({
  refuse = {},
  existing = [],
}: { refuse?: Record<string, ApiError>; existing?: KubeObject[] } = {}) {
  const done: string[] = [];
  const objects = [...existing, object('Namespace', 'kp-1', { labels: { [RUN_LABEL]: 'r1' } })];
  const find = (kind: KindRef, name: string): number =>
    objects.findIndex((o) => o.kind === kindOf(kind) && o.metadata.name === name);
  const kube: Partial<KubeClient> = {
    isNamespaced: (kind) => Promise.resolve(!kindOf(kind).startsWith('Cluster')),
    get: (kind, { name }) => Promise.resolve(objects[find(kind, name)] as never),
    apply: (applied: KubeObject, options) => {
      const error = refuse[applied.metadata.name];
      if (error) return Promise.reject(error);
      done.push(`apply ${applied.kind} ${options?.namespace ?? ''}/${applied.metadata.name}`);
      if (find(applied, applied.metadata.name) < 0) objects.push(applied);
      return Promise.resolve(applied);
    },
    delete: (kind, ref) => {
      done.push(`delete ${kindOf(kind)} ${ref.namespace ?? ''}/${ref.name}`);
      const index = find(kind, ref.name);
      if (index >= 0) objects.splice(index, 1);
      return Promise.resolve();
    },
  };
  return { cluster: { kube: { ...kube, teardown: kube } as KubeClient, runId: 'r1' }, done, objects };
}

function object(kind: string, name: string, metadata: Partial<Metadata> = {}): KubeObject {
  return { apiVersion: 'v1', kind, metadata: { name, ...metadata } };
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
    const { done, ...target } = cluster();
    const deployer = createManifestDeployer({ ...target, signal });
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
        ...cluster({ refuse: { config: new ApiError('apply', status, 'Invalid', 'no') } }),
        signal,
      }).install(source(chart));
    await expect(install(422)).rejects.toMatchObject({
      code: 'E_APPLY',
      message: expect.stringMatching(/refuses ConfigMap config.*no/) as string,
    });
    await expect(install(503)).rejects.toMatchObject({ code: 'E_API' });
  });

  it('marks cluster-scoped objects with the run, and deletes them only while a release has them', async () => {
    const chart = await folder({ 'a.yaml': ROLE, 'b.yaml': CONFIG });
    const { done, objects, ...target } = cluster();
    const deployer = createManifestDeployer({ ...target, signal });
    await deployer.install(source(chart));
    await deployer.install(source(chart, { releaseName: 'second' }));
    const find = (kind: string) => objects.find((o) => o.kind === kind);
    expect(find('ClusterRole')?.metadata.labels).toEqual({ [RUN_LABEL]: 'r1' });
    expect(find('ConfigMap')?.metadata.labels).toBeUndefined();
    await deployer.uninstall({ releaseName: 'app', namespace: 'kp-1' });
    expect(find('ClusterRole')).toBeDefined();
    await deployer.uninstall({ releaseName: 'second', namespace: 'kp-1' });
    expect(find('ClusterRole')).toBeUndefined();
    expect(done.filter((one) => one.startsWith('delete ClusterRole'))).toHaveLength(1);
  });

  it.each<[string, Partial<Metadata>, RegExp]>([
    [
      'a Helm release',
      { annotations: { 'meta.helm.sh/release-name': 'web', 'meta.helm.sh/release-namespace': 'prod' } },
      /ClusterRole reader already exists and belongs to the Helm release web in namespace prod/,
    ],
    ['another run', { labels: { [RUN_LABEL]: 'r2' } }, /belongs to run r2/],
    [
      'a person',
      { managedFields: [{ manager: 'kubectl-create' }] } as object,
      /was made with kubectl-create/,
    ],
    ['somebody', {}, /belongs to somebody else/],
  ])('takes over no cluster-scoped object of %s, and deletes none', async (_who, metadata, message) => {
    const chart = await folder({ 'a.yaml': ROLE });
    const theirs = object('ClusterRole', 'reader', metadata);
    const { done, objects, ...target } = cluster({ existing: [theirs] });
    const deployer = createManifestDeployer({ ...target, signal });
    await expect(deployer.install(source(chart))).rejects.toMatchObject({
      code: 'E_OBJECT_TAKEN',
      exitCode: 3,
      message: expect.stringMatching(message) as string,
      hint: expect.stringContaining('ClusterRole reader') as string,
    });
    await deployer.uninstall({ releaseName: 'app', namespace: 'kp-1' });
    expect(done).toEqual([]);
    expect(objects).toContain(theirs);
  });

  it('does not delete an object that somebody else has created again under the same name', async () => {
    const chart = await folder({ 'a.yaml': ROLE });
    const { objects, ...target } = cluster();
    const deployer = createManifestDeployer({ ...target, signal });
    await deployer.install(source(chart));
    objects.splice(
      objects.findIndex((o) => o.kind === 'ClusterRole'),
      1,
      object('ClusterRole', 'reader'),
    );
    await deployer.uninstall({ releaseName: 'app', namespace: 'kp-1' });
    expect(objects.find((o) => o.kind === 'ClusterRole')).toBeDefined();
  });

  it('takes over no object in a namespace that is not of the run', async () => {
    const chart = await folder({ 'a.yaml': CONFIG, 'b.yaml': SECRET });
    const { done, objects, ...target } = cluster({
      existing: [object('Namespace', 'prod'), object('Secret', 'secret')],
    });
    const deployer = createManifestDeployer({ ...target, signal });
    await expect(deployer.install(source(chart, { namespace: 'prod' }))).rejects.toMatchObject({
      code: 'E_OBJECT_TAKEN',
      message: expect.stringContaining('Secret secret in namespace prod') as string,
    });
    await deployer.uninstall({ releaseName: 'app', namespace: 'prod' });
    expect(done).toEqual(['apply ConfigMap prod/config', 'delete ConfigMap prod/config']);
    expect(objects.map((o) => o.metadata.name)).toContain('secret');
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

describe('a chart with CustomResourceDefinitions', () => {
  const DEFINITION = 'CustomResourceDefinition';

  /** A cluster with one definition, and a helm whose installation adds others. */
  function installing(install: () => Promise<void>) {
    const labels = new Map<string, unknown>([['old.example', undefined]]);
    const kube: Partial<KubeClient> = {
      list: () => Promise.resolve([...labels.keys()].map((name) => object(DEFINITION, name)) as never[]),
      patch: (_kind, { name }, patch) => {
        labels.set(name, patch);
        return Promise.resolve(object(DEFINITION, name));
      },
    };
    const shown: string[] = [];
    const helm: Partial<Helm> = {
      install: async () => {
        labels.set('things.example', undefined);
        labels.set('of-somebody.else', undefined);
        await install();
        return undefined as never;
      },
      definitions: (chart) => {
        shown.push(chart);
        return Promise.resolve(['old.example', 'things.example']);
      },
    };
    const target = { kube: { ...kube, teardown: kube } as KubeClient, runId: 'r1' };
    return { deployer: createDeployer(helm as Helm, {} as Deployer, target), labels, shown };
  }

  it.each([
    ['succeeds', () => Promise.resolve()],
    ['fails', () => Promise.reject(new Error('timed out'))],
  ])('marks those that the chart added when the installation %s', async (_how, install) => {
    const { deployer, labels } = installing(install);
    await deployer.install(source('oci://charts/app')).catch(() => {});
    expect(labels.get('things.example')).toEqual({ metadata: { labels: { [RUN_LABEL]: 'r1' } } });
    expect(labels.get('old.example')).toBeUndefined();
    expect(labels.get('of-somebody.else')).toBeUndefined();
  });

  it('asks helm nothing when no definition is new', async () => {
    const { deployer, shown } = installing(() => Promise.resolve());
    await deployer.install(source('oci://charts/app'));
    await deployer.install(source('oci://charts/app'));
    expect(shown).toHaveLength(1);
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
