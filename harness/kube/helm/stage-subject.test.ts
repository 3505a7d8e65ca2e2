import { mkdir, readFile, rm, symlink, stat, utimes, writeFile, cp } from 'node:fs/promises';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { pack } from 'tar-stream';
import { buffer } from 'node:stream/consumers';
import { beforeEach, describe, expect, it } from 'vitest';
import { UsageError } from '../../core/errors.ts';
import { temporaryFolder } from '../../testing/temporary-folder.ts';
import { stageSubject } from './stage-subject.ts';
import { digestSubject, isSameSubject, isStill } from './subject-digest.ts';

let folder: string;
let chart: string;
let values: string;

async function write(path: string, content: string): Promise<string> {
  const file = join(folder, path);
  await mkdir(join(file, '..'), { recursive: true });
  await writeFile(file, content);
  return file;
}

async function packageOf(
  files: Readonly<Record<string, string>>,
  name: string,
  mtime: Date,
): Promise<string> {
  const tar = pack();
  for (const [path, content] of Object.entries(files)) tar.entry({ name: `toolman/${path}`, mtime }, content);
  tar.finalize();
  await writeFile(join(folder, name), gzipSync(await buffer(tar)));
  return join(folder, name);
}

beforeEach(async () => {
  folder = await temporaryFolder();
  chart = join(folder, 'chart');
  await write('chart/Chart.yaml', 'name: toolman\n');
  await write('chart/templates/service.yaml', 'kind: Service\n');
  values = await write('values.yaml', 'replicaCount: 3\n');
});

const subject = () => digestSubject(chart, [values]);
const paths = async (path = chart) => (await digestSubject(path, [])).chart.files.map((file) => file.path);

describe('digestSubject', () => {
  it('names every file relative to the chart', async () => {
    const { chart: digest, values: files } = await subject();
    expect(digest).toMatchObject({ path: 'chart', outside: [] });
    expect(digest.files.map((f) => f.path)).toEqual(['Chart.yaml', 'templates/service.yaml']);
    expect(files.map((f) => f.path)).toEqual(['values.yaml']);
  });

  it('does not depend on the name, location or times of the chart', async () => {
    await cp(chart, join(folder, 'elsewhere', 'other'), { recursive: true });
    await utimes(join(folder, 'elsewhere', 'other', 'Chart.yaml'), 1, 1);
    const copy = await digestSubject(join(folder, 'elsewhere', 'other'), [values]);
    expect(isSameSubject(await subject(), copy)).toBe(true);
  });

  it.each([
    ['a file of the chart changes', 'chart/templates/service.yaml'],
    ['a file is added to the chart', 'chart/templates/ingress.yaml'],
    ['a values file changes', 'values.yaml'],
    ['an optional manifest is added', 'optional/hpa.yaml'],
  ])('differs when %s', async (_case, path) => {
    const before = await subject();
    await write(path, 'changed: true\n');
    expect(isSameSubject(before, await subject())).toBe(false);
  });

  it('ignores .git', async () => {
    const before = await subject();
    await write('chart/.git/HEAD', 'ref\n');
    expect(isSameSubject(before, await subject())).toBe(true);
  });

  it('covers what a linked folder contains, and reports that it is outside', async () => {
    await write('shared/deep/job.yaml', 'kind: Job\n');
    await symlink(join(folder, 'shared'), join(chart, 'templates', 'shared'));
    const before = await subject();
    expect(before.chart.files.map((f) => f.path)).toContain('templates/shared/deep/job.yaml');
    expect(before.chart.outside).toEqual(['templates/shared/deep/job.yaml']);
    await write('shared/deep/job.yaml', 'kind: CronJob\n');
    expect(isSameSubject(before, await subject())).toBe(false);
  });

  it('follows a link inside of the chart without reporting it', async () => {
    await symlink('service.yaml', join(chart, 'templates', 'again.yaml'));
    expect((await subject()).chart).toMatchObject({ outside: [] });
    expect(await paths()).toContain('templates/again.yaml');
  });

  it.each([
    ['nowhere', 'gone.yaml', 'the link templates/x of the chart leads nowhere'],
    [
      'to a folder that contains it',
      '..',
      'the link templates/x of the chart leads to a folder that contains it',
    ],
  ])('rejects a link that leads %s', async (_case, to, message) => {
    await symlink(to, join(chart, 'templates', 'x'));
    await expect(subject()).rejects.toMatchObject({ code: 'E_CHART', exitCode: 2, message });
  });
});

describe('the digest of a package', () => {
  const FILES = { 'Chart.yaml': 'name: toolman\n', 'templates/service.yaml': 'kind: Service\n' };

  it('has the files of the package, and the tree digest of a folder with these files', async () => {
    const packed = await digestSubject(await packageOf(FILES, 'toolman-1.0.0.tgz', new Date(0)), [values]);
    expect(packed.chart.sha256).toBe((await subject()).chart.sha256);
    expect(packed.chart.files.map((f) => f.path)).toEqual(['Chart.yaml', 'templates/service.yaml']);
  });

  it('does not depend on the name of the package', async () => {
    const one = await digestSubject(await packageOf(FILES, 'a.tgz', new Date(0)), []);
    const other = await digestSubject(await packageOf(FILES, 'b.tgz', new Date(0)), []);
    expect(isSameSubject(one, other)).toBe(true);
    expect(other.chart.archive).toBe(one.chart.archive);
  });

  it('tells another packaging of the same files by its bytes', async () => {
    const one = await digestSubject(await packageOf(FILES, 'a.tgz', new Date(0)), []);
    const other = await digestSubject(await packageOf(FILES, 'b.tgz', new Date(1_000_000)), []);
    expect(other.chart.sha256).toBe(one.chart.sha256);
    expect(other.chart.archive).not.toBe(one.chart.archive);
  });

  it('is refused for a file that is no package', async () => {
    await expect(digestSubject(await write('x.tgz', 'no archive'), [])).rejects.toThrow(
      /is not a packaged chart/,
    );
  });
});

describe('stageSubject', () => {
  const stage = (name = 'staged') => stageSubject({ chart, values: [values] }, join(folder, name));

  it('copies chart, values and optional manifests, with the same digest', async () => {
    await write('optional/hpa.yaml', 'kind: HorizontalPodAutoscaler\n');
    const staged = await stage();
    expect(staged.digest).toEqual(await subject());
    expect(await readFile(join(staged.chart, 'templates/service.yaml'), 'utf8')).toBe('kind: Service\n');
    expect(await readFile(staged.values[0]!, 'utf8')).toBe('replicaCount: 3\n');
    expect(await readFile(join(staged.chart, '../optional/hpa.yaml'), 'utf8')).toContain('Autoscaler');
    expect((await stat(join(folder, 'staged'))).mode & 0o777).toBe(0o700);
  });

  it('does not see a change that is reverted later', async () => {
    const before = await subject();
    const staged = await stage();
    await write('chart/templates/service.yaml', 'kind: Evil\n');
    expect(await readFile(join(staged.chart, 'templates/service.yaml'), 'utf8')).toBe('kind: Service\n');
    await write('chart/templates/service.yaml', 'kind: Service\n');
    expect(isSameSubject(before, await digestSubject(staged.chart, staged.values))).toBe(true);
  });

  it('replaces links by what they lead to, and reports those that leave the chart', async () => {
    await write('shared/job.yaml', 'kind: Job\n');
    await symlink(join(folder, 'shared'), join(chart, 'templates', 'shared'));
    const staged = await stage();
    await rm(join(folder, 'shared'), { recursive: true });
    expect(await readFile(join(staged.chart, 'templates/shared/job.yaml'), 'utf8')).toBe('kind: Job\n');
    expect(staged.digest.chart.outside).toEqual(['templates/shared/job.yaml']);
  });

  it('keeps values files of the same name apart, in their order', async () => {
    const more = await write('more/values.yaml', 'replicaCount: 5\n');
    const staged = await stageSubject({ chart, values: [values, more] }, join(folder, 'staged'));
    const texts = await Promise.all(staged.values.map((file) => readFile(file, 'utf8')));
    expect(texts).toEqual(['replicaCount: 3\n', 'replicaCount: 5\n']);
  });

  it('copies the prerequisites, whose digests are part of what was tested', async () => {
    const file = await write('db.yaml', 'kind: Secret\n');
    const given = { chart, values: [values], prerequisites: [file] };
    const staged = await stageSubject(given, join(folder, 'staged'));
    expect(await readFile(staged.prerequisites[0]!, 'utf8')).toBe('kind: Secret\n');
    expect(staged.digest.prerequisites?.map(({ path }) => path)).toEqual(['db.yaml']);
    expect(await isStill(staged.digest, given)).toBe(true);
    expect(await isStill(staged.digest, { chart, values: [values] })).toBe(false);
    await write('db.yaml', 'kind: ConfigMap\n');
    expect(await isStill(staged.digest, given)).toBe(false);
  });

  it('copies a package', async () => {
    chart = await packageOf({ 'Chart.yaml': 'name: toolman\n' }, 'toolman-1.0.0.tgz', new Date(0));
    const staged = await stage();
    expect(staged.chart).toMatch(/toolman-1\.0\.0\.tgz$/);
    expect(staged.digest).toEqual(await subject());
  });

  it('turns errors about the copies into errors about the files of the user', async () => {
    const staged = await stage();
    const error = new UsageError('E_LINT', `${staged.chart}/templates/a.yaml:3 is wrong`, {
      hint: `Run helm lint ${staged.chart}`,
    });
    expect(staged.inOwnPaths(error)).toMatchObject({
      code: 'E_LINT',
      message: `${chart}/templates/a.yaml:3 is wrong`,
      hint: `Run helm lint ${chart}`,
    });
  });
});

describe('a published chart', () => {
  const published = { reference: 'oci://r.example/c/toolman', version: '1.0.0', digest: 'sha256:1' };

  it('is staged from its package, and keeps what the registry said', async () => {
    const file = await packageOf({ 'Chart.yaml': 'name: toolman\n' }, 'toolman-1.0.0.tgz', new Date(0));
    const staged = await stageSubject({ chart: published.reference, values: [] }, join(folder, 'staged'), {
      file,
      published,
    });
    expect(staged.digest.chart).toMatchObject({ path: 'toolman-1.0.0.tgz', published });
    expect(staged.inOwnPaths(new UsageError('E_CHART', `chart ${staged.chart}: no`))).toMatchObject({
      message: `chart ${published.reference}: no`,
    });
  });

  it('is still what was tested, whatever its tag names now, but its values files may have changed', async () => {
    const { chart: digest, values: files } = await subject();
    const tested = { chart: { ...digest, published }, values: files };
    const own = { chart: published.reference, values: [values] };
    expect(await isStill(tested, own)).toBe(true);
    await write('values.yaml', 'replicaCount: 4\n');
    expect(await isStill(tested, own)).toBe(false);
  });
});
