import { mkdir, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { expect, it } from 'vitest';
import { temporaryFolder } from '../../harness/testing/temporary-folder.ts';
import type { SubjectConfig } from '../../harness/run/suite/worker-config.ts';
import { isHelmChart, needHelmChart, valuesOfAuthors } from './subject-form.ts';

const subject = (chart: string): SubjectConfig => ({
  chart,
  values: [],
  set: [],
  patches: [],
  reference: false,
  images: [],
});

it('tells charts and packages from plain manifests', async () => {
  const folder = await temporaryFolder();
  await writeFile(join(folder, 'web.tgz'), '');
  expect(await isHelmChart(subject(join(folder, 'web.tgz')))).toBe(true);
  expect(await isHelmChart(subject(folder))).toBe(false);
  await expect(needHelmChart(subject(folder))).rejects.toMatchObject({ code: 'E_DOES_NOT_FIT' });
  await writeFile(join(folder, 'Chart.yaml'), '');
  expect(await isHelmChart(subject(folder))).toBe(true);
});

it('finds the values with which authors test their chart', async () => {
  const folder = await temporaryFolder();
  expect(await valuesOfAuthors(subject(folder))).toEqual([]);
  await mkdir(join(folder, 'ci'));
  for (const name of ['b-values.yaml', 'a-values.yml', 'values.yaml', 'notes.md', 'test.yaml'])
    await writeFile(join(folder, 'ci', name), '');
  const found = await valuesOfAuthors(subject(folder));
  expect(found.map((file) => basename(file))).toEqual(['a-values.yml', 'b-values.yaml']);
});
