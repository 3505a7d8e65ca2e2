import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { checkSubjectFiles } from './subject-files.ts';

let root: string;

const FILES = {
  'good/Chart.yaml': 'apiVersion: v2\nname: good\nversion: 0.1.0\n',
  'library/Chart.yaml': 'apiVersion: v2\nname: l\nversion: 0.1.0\ntype: library\n',
  'broken/Chart.yaml': 'name: [\n',
  'nameless/Chart.yaml': 'apiVersion: v2\nversion: 0.1.0\n',
  'charts/one/Chart.yaml': 'apiVersion: v2\nname: one\nversion: 0.1.0\n',
  'manifests/deployment.yaml': 'kind: Deployment\n',
  'map.yaml': 'a: 1\n',
  'empty.yaml': '# nothing\n',
  'list.yaml': '- a\n',
  'bad.yaml': 'a: 1\nb: "x\n',
  'tabs.yaml': 'a:\n\tb: 1\n',
};

beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'kp-unit-'));
  for (const [path, text] of Object.entries(FILES)) {
    await mkdir(dirname(join(root, path)), { recursive: true });
    await writeFile(join(root, path), text);
  }
  await mkdir(join(root, 'links'));
  await symlink('../manifests/deployment.yaml', join(root, 'links', 'deployment.yaml'));
  return () => rm(root, { recursive: true });
});

const check = (subject: { chart?: string; values?: string[]; set?: string[] }): Promise<void> =>
  checkSubjectFiles({
    ...(subject.chart === undefined ? {} : { chart: join(root, subject.chart) }),
    values: (subject.values ?? []).map((file) => join(root, file)),
    set: subject.set ?? [],
  });

describe('a published chart', () => {
  const files = { values: [], set: [] };

  it('needs no files on this machine', async () => {
    await expect(checkSubjectFiles({ chart: 'oci://ghcr.io/me/app', ...files })).resolves.toBeUndefined();
  });

  it('needs a reference', async () => {
    await expect(checkSubjectFiles({ chart: 'oci://ghcr.io', ...files })).rejects.toMatchObject({
      code: 'E_CHART',
    });
  });
});

describe('checkSubjectFiles', () => {
  it('accepts a chart, values files that are maps or empty, and well-formed options', async () => {
    await expect(
      check({
        chart: 'good',
        values: ['map.yaml', 'empty.yaml'],
        set: ['a=1', 'a.b[0].c=x', 'empty=', 'list={a,b}'],
      }),
    ).resolves.toBeUndefined();
    await expect(check({ values: [] })).resolves.toBeUndefined();
    await expect(check({ chart: 'manifests' })).resolves.toBeUndefined();
    await expect(check({ chart: 'links' })).resolves.toBeUndefined();
  });

  it.each([
    [{ chart: 'nothing' }, 'E_CHART', /there is no chart at .*nothing/],
    [{ chart: 'map.yaml' }, 'E_CHART', /is a file, not a chart/],
    [{ chart: 'charts' }, 'E_CHART', /has no Chart\.yaml/],
    [{ chart: 'broken' }, 'E_CHART', /Chart\.yaml:\d+:\d+ is not valid YAML/],
    [{ chart: 'nameless' }, 'E_CHART', /name/],
    [{ chart: 'library' }, 'E_CHART', /library chart/],
    [{ values: ['none.yaml'] }, 'E_VALUES', /none\.yaml does not exist/],
    [{ values: ['good'] }, 'E_VALUES', /cannot be read \(EISDIR\)/],
    [{ values: ['list.yaml'] }, 'E_VALUES', /list\.yaml is a list, not a map/],
    [{ values: ['bad.yaml'] }, 'E_VALUES', /bad\.yaml:\d+:\d+ is not valid YAML/],
    [{ values: ['tabs.yaml'] }, 'E_VALUES', /tabs\.yaml:2:\d+ is not valid YAML/],
    [{ set: ['replicas'] }, 'E_SET', /--set "replicas" is not of the form KEY=VALUE/],
    [{ set: ['=1'] }, 'E_SET', /KEY=VALUE/],
  ])('rejects %o', async (subject, code, message) => {
    await expect(check(subject)).rejects.toMatchObject({
      code,
      message: expect.stringMatching(message) as string,
    });
  });

  it('suggests the chart inside the folder', async () => {
    await expect(check({ chart: 'charts' })).rejects.toMatchObject({
      hint: `Did you mean ${join(root, 'charts', 'one')}?`,
    });
  });
});
