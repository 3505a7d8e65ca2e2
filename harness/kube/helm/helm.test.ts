import { access, chmod, readdir, readFile, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { createCommandRunner } from '../../core/command.ts';
import { InterruptedError } from '../../core/errors.ts';
import { silentLog } from '../../core/log.ts';
import { createHelm, type HelmDeps } from './helm.ts';
import type { Helm } from './types.ts';
import { sleepingClock } from '../../testing/sleeping-clock.ts';
import { temporaryFolder } from '../../testing/temporary-folder.ts';

const source = { chart: './chart', values: ['a.yaml'], set: ['x=1'], releaseName: 'web', namespace: 'ns' };
const RELEASE = {
  name: 'web',
  namespace: 'ns',
  version: 3,
  info: { status: 'deployed', description: 'Upgrade complete' },
  manifest: '',
};

/** A program that records its command line and environment, then runs `body`. */
async function fakeHelm(
  body: string,
  deps: Partial<HelmDeps> = {},
): Promise<{ helm: Helm; calls: () => Promise<string> }> {
  const directory = await temporaryFolder();
  const helmPath = join(directory, 'helm');
  await writeFile(
    helmPath,
    `#!/bin/sh\necho "$@" "KUBECONFIG=$KUBECONFIG HELM_NAMESPACE=$HELM_NAMESPACE" >> ${directory}/calls\n${body}\n`,
  );
  await chmod(helmPath, 0o755);
  const helm = createHelm({
    run: createCommandRunner(),
    helmPath,
    kubeconfig: '/run/kubeconfig',
    context: 'kind-x',
    workDir: join(directory, 'work'),
    log: silentLog,
    signal: new AbortController().signal,
    ...deps,
  });
  return { helm, calls: () => readFile(join(directory, 'calls'), 'utf8') };
}

const print = (json: unknown): string => `echo '${JSON.stringify(json)}'`;

describe('createHelm', () => {
  describe('pulls a published chart', () => {
    const CHART = 'oci://r.example/c/toolman';
    const DIGEST = `sha256:${'a'.repeat(64)}`;
    /** Fails as often as the file has lines. */
    const pulls = (failures: string) => `
config=; folder=; previous=
for word; do
  case "$previous" in --destination) folder=$word ;; --registry-config) config=$word ;; esac
  previous=$word
done
[ -z "$config" ] || cat "$config" >> "$(dirname "$0")/credentials"
${failures}
touch "$folder/toolman-1.4.0.tgz"
echo "Pulled: r.example/c/toolman:1.4.0" >&2; echo "Digest: ${DIGEST}" >&2`;

    it('with the credentials of the user', async () => {
      const home = await temporaryFolder();
      await writeFile(join(home, 'config.json'), '{"auths":{}}');
      process.env['HELM_REGISTRY_CONFIG'] = join(home, 'config.json');
      try {
        const { helm, calls } = await fakeHelm(pulls(''));
        const pulled = await helm.pull(CHART, '1.4.0', join(home, 'pulled'));
        expect(pulled).toEqual({
          file: join(home, 'pulled', 'toolman-1.4.0.tgz'),
          published: { reference: CHART, version: '1.4.0', digest: DIGEST },
        });
        expect(await calls()).toContain(`--registry-config ${join(home, 'config.json')}`);
      } finally {
        delete process.env['HELM_REGISTRY_CONFIG'];
      }
    });

    it.each([
      ['again after 503, three times at most', '503: unavailable', 3, 'E_CHART_PULL'],
      ['once when it is refused', '401: unauthorized', 1, 'E_CHART'],
    ])('%s', async (_title, message, attempts, code) => {
      const { helm, calls } = await fakeHelm(
        pulls(`echo "Error: GET: response status code ${message}" >&2; exit 1`),
        { clock: sleepingClock() },
      );
      const folder = join(await temporaryFolder(), 'pulled');
      await expect(helm.pull(CHART, undefined, folder)).rejects.toMatchObject({ code });
      expect((await calls()).trim().split('\n')).toHaveLength(attempts);
    });
  });

  it('passes cluster and namespace explicitly, and does not wait', async () => {
    process.env['HELM_NAMESPACE'] = 'production';
    try {
      const { helm, calls } = await fakeHelm(print(RELEASE));
      const info = await helm.install(source, { createNamespace: true });
      expect(info).toEqual({
        name: 'web',
        namespace: 'ns',
        revision: 3,
        status: 'deployed',
        description: 'Upgrade complete',
        notes: '',
        manifest: '',
      });
      const line = await calls();
      expect(line).toContain(
        'install web ./chart --namespace ns --values a.yaml --set x=1 --create-namespace',
      );
      expect(line).toContain('--kubeconfig /run/kubeconfig --kube-context kind-x');
      expect(line).toContain('KUBECONFIG=/run/kubeconfig HELM_NAMESPACE=\n');
      expect(line).not.toContain('--wait');
    } finally {
      delete process.env['HELM_NAMESPACE'];
    }
  });

  it('renders with the capabilities of the cluster', async () => {
    const { helm, calls } = await fakeHelm('', {
      capabilities: () => ({ kubeVersion: 'v1.36.3', apiVersions: ['a/v1'] }),
    });
    await helm.render(source);
    expect(await calls()).toContain('--kube-version v1.36.3 --api-versions a/v1');
  });

  it('patches what it renders, and no hook', async () => {
    const configMap = (name: string, annotations = {}) => ({
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: { name, annotations },
    });
    const hook = configMap('hook', { 'helm.sh/hook': 'pre-install' });
    const { helm, calls } = await fakeHelm(
      [hook, configMap('plain')].map((object) => `echo ---; ${print(object)}`).join('\n'),
    );
    const ops = [{ op: 'add' as const, path: '/data', value: { key: 'patched' } }];
    const rendered = await helm.render({ ...source, patches: [{ target: { kind: 'ConfigMap' }, ops }] });
    expect(rendered.objects).toEqual([hook, { ...configMap('plain'), data: { key: 'patched' } }]);
    expect(await calls()).not.toContain('--post-renderer');
  });

  it('passes patches without writing them to disk, as they may contain credentials', async () => {
    const workDir = await temporaryFolder();
    const { helm, calls } = await fakeHelm('printenv KINDPROOF_PATCHES >> "$(dirname "$0")/calls"', {
      workDir,
    });
    const patches = [{ settings: [{ names: ['PASSWORD'], value: 'hunter22' }] }];
    await helm.install({ ...source, patches }).catch(() => undefined);
    const [call, handed] = (await calls()).split('\n');
    expect(call).toMatch(/--post-renderer \S+ --post-renderer-args \S+post-render\.mjs/);
    expect(call).not.toContain('hunter22');
    expect(handed).toBe(JSON.stringify(patches));
    const entries = await readdir(workDir, { recursive: true, withFileTypes: true });
    expect(entries.filter((entry) => entry.isFile())).toEqual([]);
  });

  it.each([
    ['status', (helm: Helm) => helm.status(source), undefined],
    [
      'uninstall',
      (helm: Helm) =>
        helm
          .uninstall({ ...source, ignoreNotFound: true })
          .catch((e: unknown) => (e as { code: string }).code),
      'E_RELEASE_STATE',
    ],
  ])('%s handles a missing release', async (_verb, act, expected) => {
    const { helm } = await fakeHelm('echo "Error: release: not found" >&2; exit 1');
    expect(await act(helm)).toBe(expected);
  });

  it.each([
    ['pass', 'echo "TEST SUITE:     web-test"; echo "Phase:          Succeeded"', undefined],
    [
      'fail',
      'echo "TEST SUITE:     web-test"; echo "Error: pod web-test failed" >&2; exit 1',
      'pod web-test failed',
    ],
  ])('says what helm says when the tests of a release %s', async (_, body, expected) => {
    const { helm, calls } = await fakeHelm(body);
    expect(await helm.test(source, { timeoutMs: 5000 })).toBe(expected);
    expect(await calls()).toMatch(/^test web --namespace ns --timeout 5s /);
  });

  it('does not take another failure of helm for that of a test', async () => {
    const { helm } = await fakeHelm('echo "Error: release: not found" >&2; exit 1');
    await expect(helm.test(source)).rejects.toMatchObject({ code: 'E_RELEASE_STATE' });
  });

  it('requires a cluster for operations on releases', async () => {
    const { helm } = await fakeHelm('');
    const without = createHelm({
      run: createCommandRunner(),
      helmPath: '/bin/true',
      workDir: tmpdir(),
      log: silentLog,
      signal: new AbortController().signal,
    });
    await expect(without.list()).rejects.toMatchObject({ code: 'E_NO_CLUSTER' });
    await expect(helm.lint(source)).resolves.toEqual({ ok: true, messages: [] });
  });

  it.each([
    ['no JSON', 'echo "Release web has been upgraded."'],
    ['nothing', ''],
    ['other JSON', 'echo "{}"'],
  ])('rejects a program that prints %s', async (_title, body) => {
    const { helm } = await fakeHelm(body);
    await expect(helm.install(source)).rejects.toMatchObject({ code: 'E_HELM_OUTPUT', exitCode: 3 });
  });

  it.each([
    ['not executable', 0o644],
    ['absent', undefined],
  ])('reports a program that is %s', async (_title, mode) => {
    const directory = await temporaryFolder();
    const helmPath = join(directory, 'helm');
    if (mode !== undefined) await writeFile(helmPath, '', { mode });
    const { helm } = await fakeHelm('', { helmPath });
    await expect(helm.lint(source)).rejects.toMatchObject({ code: 'E_COMMAND', exitCode: 3 });
  });

  it('terminates the program when the run is interrupted', async () => {
    const interruption = new AbortController();
    const { helm } = await fakeHelm('exec sleep 30', { signal: interruption.signal });
    const pending = helm.list();
    setTimeout(() => {
      interruption.abort();
    }, 50);
    await expect(pending).rejects.toThrow(InterruptedError);
  });

  it('reads the CustomResourceDefinitions of a chart', async () => {
    const { helm, calls } = await fakeHelm(
      "printf '# of a dependency\\n---\\napiVersion: apiextensions.k8s.io/v1\\nkind: CustomResourceDefinition\\nmetadata: {name: a.b}\\n'",
    );
    expect(await helm.definitions('./chart')).toEqual(['a.b']);
    expect(await calls()).toMatch(/^show crds \.\/chart /);
  });

  it('parses lists, histories and values', async () => {
    const entry = {
      name: 'web',
      namespace: 'ns',
      revision: '2',
      updated: 'x',
      status: 'deployed',
      chart: 'web-1.0.0',
      app_version: '1',
    };
    const { helm } = await fakeHelm(
      `case "$1" in list) ${print([entry])};; history) ${print([{ ...entry, revision: 2, description: 'ok' }])};; get) echo null;; esac`,
    );
    const expected = { revision: 2, status: 'deployed', chart: 'web-1.0.0', appVersion: '1' };
    expect(await helm.list('ns')).toEqual([{ name: 'web', namespace: 'ns', ...expected }]);
    expect(await helm.history(source)).toEqual([{ ...expected, description: 'ok' }]);
    expect(await helm.getValues(source)).toEqual({});
  });

  it('rolls back to a revision and returns the new one', async () => {
    const { helm, calls } = await fakeHelm(`case "$1" in status) ${print(RELEASE)};; esac`);
    expect(await helm.rollback(source, { revision: 1 })).toMatchObject({ name: 'web', revision: 3 });
    expect(await calls()).toMatch(/^rollback web 1 --namespace ns --timeout 120s /);
  });
});

/** The real program: `KINDPROOF_HELM`, or `helm` on PATH. */
async function findHelm(): Promise<string | undefined> {
  const folders = (process.env['PATH'] ?? '').split(delimiter).map((folder) => join(folder, 'helm'));
  for (const path of [process.env['KINDPROOF_HELM'], ...folders]) {
    if (
      path !== undefined &&
      (await access(path).then(
        () => true,
        () => false,
      ))
    )
      return path;
  }
  return undefined;
}

const helmPath = await findHelm();

describe.skipIf(helmPath === undefined)('the real helm (KINDPROOF_HELM or on PATH)', () => {
  async function chart(files: Record<string, string>): Promise<string> {
    const directory = await temporaryFolder();
    const { mkdir } = await import('node:fs/promises');
    await mkdir(join(directory, 'templates'));
    const all = {
      'Chart.yaml': 'apiVersion: v2\nname: c\nversion: 0.1.0\n',
      'values.yaml': 'mode: on\n',
      ...files,
    };
    for (const [path, text] of Object.entries(all)) await writeFile(join(directory, path), text);
    return directory;
  }

  async function realHelm(): Promise<Helm> {
    const workDir = await temporaryFolder();
    return createHelm({
      run: createCommandRunner(),
      helmPath: helmPath ?? '',
      workDir,
      log: silentLog,
      signal: new AbortController().signal,
    });
  }

  const CONFIG_MAP =
    'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\ndata: {mode: {{ .Values.mode | quote }}}\n';

  it('renders with patches, as an install does', async () => {
    const subject = {
      chart: await chart({ 'templates/a.yaml': CONFIG_MAP }),
      values: [],
      set: [],
      releaseName: 'r',
      namespace: 'n',
    };
    const helm = await realHelm();
    const [plain, patched] = await Promise.all([
      helm.validateSubject(subject),
      helm.render({
        ...subject,
        patches: [{ target: { kind: 'ConfigMap' }, ops: [{ op: 'add', path: '/data/x', value: 'on' }] }],
      }),
    ]);
    expect(plain.objects.map((o) => o['data'])).toEqual([{ mode: 'true' }]);
    expect(patched.objects.map((o) => o['data'])).toEqual([{ mode: 'true', x: 'on' }]);
  });

  it('rejects a patch that selects nothing', async () => {
    const subject = {
      chart: await chart({ 'templates/a.yaml': CONFIG_MAP }),
      values: [],
      set: [],
      releaseName: 'r',
      namespace: 'n',
    };
    const patches = [{ target: { kind: 'Deployment', name: 'x' }, ops: [] }];
    await expect((await realHelm()).render({ ...subject, patches })).rejects.toMatchObject({
      code: 'E_PATCH_TARGET',
      message: 'the patch of Deployment x selects nothing',
    });
  });

  it.each([
    [
      'a nil pointer',
      { 'templates/a.yaml': 'x: {{ .Values.a.b }}' },
      'E_TEMPLATE',
      /templates\/a\.yaml:1:13/,
    ],
    [
      'a schema violation',
      { 'templates/a.yaml': CONFIG_MAP, 'values.schema.json': '{"properties":{"mode":{"type":"string"}}}' },
      'E_VALUES_SCHEMA',
      /mode: got boolean, want string \(.*values\.yaml:1\)/,
    ],
    [
      'an object without a name',
      { 'templates/a.yaml': 'apiVersion: v1\nkind: ConfigMap\n' },
      'E_MANIFEST',
      /c\/templates\/a\.yaml is not a valid object/,
    ],
  ])('rejects %s', async (_title, files: Record<string, string>, code, message) => {
    const subject = { chart: await chart(files), values: [], set: [] };
    await expect((await realHelm()).validateSubject(subject)).rejects.toMatchObject({
      code,
      message: expect.stringMatching(message) as string,
    });
  });
});
