import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { pack } from 'tar-stream';
import { expect, it } from 'vitest';
import { temporaryFolder } from '../../testing/temporary-folder.ts';
import { copyWithNextVersion, copyWithVersion } from './next-version.ts';

const CHART = '# a comment\nname: web\nversion: 1.2.9\nappVersion: "v2"\n';

async function packaged(folder: string, name: string): Promise<string> {
  const archive = pack();
  archive.entry({ name: 'web/Chart.yaml' }, CHART);
  archive.entry({ name }, 'x');
  archive.finalize();
  const chunks: Buffer[] = [];
  for await (const chunk of archive) chunks.push(chunk as Buffer);
  const file = join(folder, 'web.tgz');
  await writeFile(file, gzipSync(Buffer.concat(chunks)));
  return file;
}

it('copies a folder and raises both versions', async () => {
  const folder = await temporaryFolder();
  await mkdir(join(folder, 'web', 'templates'), { recursive: true });
  await writeFile(join(folder, 'web', 'Chart.yaml'), CHART);
  await writeFile(join(folder, 'web', 'templates', 'a.yaml'), 'kind: A');

  const { chart, version } = await copyWithNextVersion(join(folder, 'web'), join(folder, 'copy'));

  expect(version).toBe('1.2.10');
  expect(await readFile(join(chart, 'Chart.yaml'), 'utf8')).toBe(
    '# a comment\nname: web\nversion: 1.2.10\nappVersion: "v3"\n',
  );
  expect(await readFile(join(chart, 'templates', 'a.yaml'), 'utf8')).toBe('kind: A');
  expect(await readFile(join(folder, 'web', 'Chart.yaml'), 'utf8')).toBe(CHART);
});

it('gives a copy an earlier version, and leaves that of the application', async () => {
  const folder = await temporaryFolder();
  await mkdir(join(folder, 'web'));
  await writeFile(join(folder, 'web', 'Chart.yaml'), CHART);
  const chart = await copyWithVersion(join(folder, 'web'), join(folder, 'copy'), '1.1.0');
  expect(await readFile(join(chart, 'Chart.yaml'), 'utf8')).toBe(CHART.replace('1.2.9', '1.1.0'));
});

it('unpacks a package', async () => {
  const folder = await temporaryFolder();
  const { chart, version } = await copyWithNextVersion(
    await packaged(folder, 'web/templates/a.yaml'),
    join(folder, 'copy'),
  );
  expect(version).toBe('1.2.10');
  expect(await readFile(join(chart, 'templates', 'a.yaml'), 'utf8')).toBe('x');
});

it('refuses a package with a file outside of its folder', async () => {
  const folder = await temporaryFolder();
  const file = await packaged(folder, 'web/../../evil.yaml');
  await expect(copyWithNextVersion(file, join(folder, 'copy'))).rejects.toMatchObject({ code: 'E_CHART' });
});
