import { mkdtemp, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { parseOptions, type RunOptions } from '../../harness/run/plan/options.ts';
import { saveOptions, withSavedOptions } from './saved-options.ts';

function parsed(...argv: string[]): RunOptions {
  const options = parseOptions(argv, () => {});
  if (!options) throw new Error('the options are those of a run');
  return options;
}

it('keep the credentials of --set for --rerun, in a file that only the user can read', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'kp-unit-options-'));
  onTestFinished(() => rm(directory, { recursive: true }));

  await saveOptions(directory, parsed('--suite', 'toolman', '--set', 'db.password=hunter2'));

  expect((await stat(join(directory, 'options.json'))).mode & 0o777).toBe(0o600);
  expect((await withSavedOptions(parsed('--rerun', directory))).set).toEqual(['db.password=hunter2']);
});

it('keep the version of a published chart, but not for another chart', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'kp-unit-options-'));
  onTestFinished(() => rm(directory, { recursive: true }));
  const published = ['--chart', 'oci://r.example/c/toolman', '--chart-version', '1.4.0'];

  await saveOptions(directory, parsed('--suite', 'toolman', ...published));

  expect(await withSavedOptions(parsed('--rerun', directory))).toMatchObject({
    chart: 'oci://r.example/c/toolman',
    chartVersion: '1.4.0',
  });
  const other = await withSavedOptions(parsed('--rerun', directory, '--chart', './mine'));
  expect([other.chart, other.chartVersion]).toEqual(['./mine', undefined]);
});

it('keep the version before, but not for another chart', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'kp-unit-options-'));
  onTestFinished(() => rm(directory, { recursive: true }));
  const again = async (...argv: string[]) => {
    const { previous, previousValues } = await withSavedOptions(parsed('--rerun', directory, ...argv));
    return [previous, previousValues];
  };

  await saveOptions(
    directory,
    parsed('--chart', './mine', '--previous', './old', '--previous-values', 'o.yaml'),
  );

  expect(await again()).toEqual(['./old', ['o.yaml']]);
  expect(await again('--chart', './other')).toEqual([undefined, []]);
  expect(await again('--previous', './older')).toEqual(['./older', []]);
});

it('keep --no-provide, which belongs to the cluster', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'kp-unit-options-'));
  onTestFinished(() => rm(directory, { recursive: true }));
  const again = async (...argv: string[]) =>
    (await withSavedOptions(parsed('--rerun', directory, ...argv))).provide;

  await saveOptions(directory, parsed('--chart', './mine', '--no-provide'));
  expect(await again()).toBe(false);

  await saveOptions(directory, parsed('--chart', './mine'));
  expect([await again(), await again('--no-provide')]).toEqual([true, false]);
});

it('keep the platform, unless another subject is given', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'kp-unit-options-'));
  onTestFinished(() => rm(directory, { recursive: true }));
  const again = async (...argv: string[]) =>
    (await withSavedOptions(parsed('--rerun', directory, ...argv))).platform;

  await saveOptions(directory, parsed('--platform', 'mine.yaml'));
  expect([await again(), await again('--platform', 'other.yaml'), await again('--chart', './mine')]).toEqual([
    'mine.yaml',
    'other.yaml',
    undefined,
  ]);
});

it('keep the reference subject, unless another subject is given', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'kp-unit-options-'));
  onTestFinished(() => rm(directory, { recursive: true }));
  const again = async (...argv: string[]) => {
    const { chart, reference } = await withSavedOptions(parsed('--rerun', directory, ...argv));
    return { chart, reference };
  };

  await saveOptions(directory, parsed('--suite', 'any-chart', '--reference', 'store'));
  expect(await again()).toEqual({ chart: undefined, reference: 'store' });
  expect(await again('--chart', './mine')).toEqual({ chart: './mine', reference: undefined });

  await saveOptions(directory, parsed('--suite', 'any-chart', '--chart', './mine'));
  expect(await again('--reference', 'store')).toEqual({ chart: undefined, reference: 'store' });
});

it('keep the prerequisites, unless others are given', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'kp-unit-options-'));
  onTestFinished(() => rm(directory, { recursive: true }));
  const again = async (...argv: string[]) =>
    (await withSavedOptions(parsed('--rerun', directory, ...argv))).prerequisites;

  await saveOptions(directory, parsed('--chart', './mine', '--prerequisites', 'db.yaml'));
  expect([await again(), await again('--prerequisites', 'other.yaml')]).toEqual([
    ['db.yaml'],
    ['other.yaml'],
  ]);
});
