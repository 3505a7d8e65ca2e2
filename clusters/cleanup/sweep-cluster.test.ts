import { existsSync } from 'node:fs';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { silentLog } from '../../harness/core/log.ts';
import { CORDONED_BY, RUN_LABEL } from '../../harness/core/run-id.ts';
import { ApiError } from '../../harness/kube/api/errors.ts';
import type { KubeObject } from '../../harness/kube/api/types.ts';
import { field } from '../../harness/kube/manifests/objects.ts';
import { sleepingClock } from '../../harness/testing/sleeping-clock.ts';
import { fakeKube, type FakeKube, fakeNode } from '../testing/fake-kube.ts';
import { acquireRunLock, readRuns } from './run-lock.ts';
import { sweepCluster } from './sweep-cluster.ts';
import type { SweepOptions } from './sweep.ts';

const EXISTING = { kubeconfig: '/home/me/staging.yaml', context: 'staging' };

let folder: string;
let kube: FakeKube;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'kp-unit-'));
  kube = fakeKube([
    object('Namespace', 'default'),
    object('Namespace', 'kp-probe-1', 'dead'),
    object('ClusterRole', 'of-dead', 'dead'),
    object('ClusterRole', 'of-alive', 'alive'),
    object('ClusterRole', 'of-unknown', 'unknown'),
    object('ClusterRole', 'admin'),
  ]);
  await record('alive');
  await record('dead', { pid: 4_194_999 });
});
afterEach(() => rm(folder, { recursive: true }));

function object(kind: string, name: string, run?: string): KubeObject {
  return {
    apiVersion: 'v1',
    kind,
    metadata: { name, uid: name, ...(run !== undefined && { labels: { [RUN_LABEL]: run } }) },
  };
}

/** A run on the existing cluster, with its copy of the kubeconfig. */
async function record(run: string, changes: object = {}): Promise<void> {
  const directory = join(folder, run);
  const lock = await acquireRunLock(directory, { registryDir: join(folder, 'registry') });
  await lock.useExisting(EXISTING);
  await writeFile(join(directory, 'kubeconfig'), 'secret');
  for (const file of [join(directory, 'pid'), join(folder, 'registry', run)]) {
    const saved = JSON.parse(await readFile(file, 'utf8')) as object;
    await writeFile(file, JSON.stringify({ ...saved, ...changes }));
  }
}

async function sweep(options: SweepOptions = {}, cluster = EXISTING): Promise<string[]> {
  const items = await sweepCluster(
    {
      kube: kube.client,
      cluster,
      registry: { registryDir: join(folder, 'registry') },
      clock: sleepingClock(),
      log: silentLog,
    },
    options,
  );
  return items.map(({ action, kind, name, reason }) =>
    [`${action} ${kind} ${name}`, ...(reason === undefined ? [] : [reason])].join(': '),
  );
}
const left = () => kube.objects.map(({ metadata }) => metadata.name);
const recorded = async () =>
  (await readRuns({ registryDir: join(folder, 'registry') })).map(({ run }) => run);

describe('sweepCluster', () => {
  it('removes what ended runs left, then their records and kubeconfigs', async () => {
    expect(await sweep()).toEqual([
      'removed Namespace kp-probe-1',
      'removed ClusterRole of-dead',
      'left ClusterRole of-alive: run alive is in progress',
      expect.stringMatching(
        /^left ClusterRole of-unknown: no record of its run here.*--run unknown or --all$/,
      ),
    ]);
    expect(left()).toEqual(['default', 'of-alive', 'of-unknown', 'admin']);
    expect(await recorded()).toEqual(['alive']);
    expect(existsSync(join(folder, 'dead', 'kubeconfig'))).toBe(false);
    expect(existsSync(join(folder, 'alive', 'kubeconfig'))).toBe(true);
  });

  it.each<[string, SweepOptions, string[]]>([
    ['--all', { all: true }, ['default', 'of-alive', 'admin']],
    ['--run', { runId: 'unknown' }, ['default', 'kp-probe-1', 'of-dead', 'of-alive', 'admin']],
    ['--dry-run', { dryRun: true }, ['default', 'kp-probe-1', 'of-dead', 'of-alive', 'of-unknown', 'admin']],
  ])('%s', async (_option, options, names) => {
    await sweep(options);
    expect(left()).toEqual(names);
    expect(await recorded()).toEqual(options.all ? ['alive'] : ['alive', 'dead']);
  });

  it('uncordons the nodes of ended runs only', async () => {
    const cordoned = (name: string, run?: string): KubeObject => ({
      ...fakeNode(name, { spec: { unschedulable: true } }),
      metadata: { name, annotations: run === undefined ? {} : { [CORDONED_BY]: run } },
    });
    kube.objects.push(cordoned('one', 'dead'), cordoned('two', 'alive'), cordoned('three'));
    expect((await sweep()).filter((line) => line.includes('node'))).toEqual([
      'removed cordon of node one',
      'left cordon of node two: run alive is in progress',
    ]);
    const still = kube.objects.filter(({ spec }) => field(spec, 'unschedulable') === true);
    expect(still.map(({ metadata }) => metadata.name)).toEqual(['two', 'three']);
  });

  it('refuses the id of a run in progress', async () => {
    await expect(sweep({ runId: 'alive' })).rejects.toMatchObject({ code: 'E_RUN_ALIVE', exitCode: 2 });
  });

  it('keeps the record of a run of which something is left, and of a run on another cluster', async () => {
    kube.client.delete = () =>
      Promise.reject(new ApiError('could not delete', 403, 'Forbidden', 'you may not'));
    expect(await sweep()).toContain('failed ClusterRole of-dead: could not delete: you may not');
    kube.objects.length = 0;
    await sweep({}, { ...EXISTING, context: 'production' });
    expect(await recorded()).toEqual(['alive', 'dead']);
  });
});
