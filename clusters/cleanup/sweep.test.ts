import { mkdir, mkdtemp, readFile, readdir, rm, stat, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { CommandOptions, CommandResult, CommandRunner } from '../../harness/core/command.ts';
import { CommandError } from '../../harness/core/command.ts';
import { systemClock } from '../../harness/core/deadline.ts';
import { silentLog } from '../../harness/core/log.ts';
import { SHARED_STORAGE_PATH } from '../kind/kind-config.ts';
import { findLeftovers, summariseLeftovers } from './leftovers.ts';
import { acquireRunLock } from './run-lock.ts';
import type { SweepDeps, SweepOptions } from './sweep.ts';
import { sweepLeftovers } from './sweep.ts';

const NOW = Date.parse('2026-01-10T12:00:00Z');

type Kind = 'container' | 'volume' | 'network';
interface Row {
  id: string;
  name: string;
  run: string;
  cluster: string;
  role?: string;
  created?: string;
  /** Paths of mounts in the container. The nodes of kindproof have the shared folder. */
  mounts?: readonly string[];
}

/** An in-memory engine that answers the commands of a sweep like docker. */
class FakeEngine implements CommandRunner {
  readonly things: Record<Kind, Map<string, Row>> = {
    container: new Map(),
    volume: new Map(),
    network: new Map(),
  };
  /** Error messages of removals, by id. The object is removed anyway. */
  readonly refusals = new Map<string, string>();
  readonly commands: string[] = [];
  onKindNetwork = '';
  down = false;

  run(file: string, args: readonly string[], options: CommandOptions = {}): Promise<CommandResult> {
    const command = [file, ...args].join(' ');
    this.commands.push(command);
    const [stdout, stderr] = this.down ? ['', 'Cannot connect to the Docker daemon'] : this.#answer(args);
    const result = { command, exitCode: stderr === '' ? 0 : 1, stdout, stderr, durationMs: 1 };
    if (stderr !== '' && options.reject !== false) {
      return Promise.reject(new CommandError(result, 'failed', { hint: options.hint }));
    }
    return Promise.resolve(result);
  }

  #answer(args: readonly string[]): [stdout: string, stderr: string] {
    const words = args.join(' ');
    const last = args.at(-1) ?? '';
    if (last === 'network=kind') return [this.onKindNetwork, ''];
    if (last.startsWith('id=')) return ['', ''];
    if (words === 'network inspect kind') return ['', this.things.network.has('kind') ? '' : 'not found'];
    if (words.startsWith('rm ')) return ['', this.#remove('container', last)];
    if (words.startsWith('volume rm ')) return ['', this.#remove('volume', last)];
    if (words.startsWith('network rm ')) return ['', this.#remove('network', last)];
    const kind = words.startsWith('ps ') ? 'container' : words.startsWith('volume') ? 'volume' : 'network';
    const rows = [...this.things[kind].values()].filter((row) => carries(row, words));
    return [rows.map((row) => JSON.stringify(row)).join('\n'), ''];
  }

  #remove(kind: Kind, id: string): string {
    const refusal = this.refusals.get(id);
    if (!this.things[kind].delete(id)) return `Error response from daemon: No such ${kind}: ${id}`;
    return refusal ?? '';
  }
}

function carries(row: Row, filter: string): boolean {
  const [, path] = /volume=(\S+)/.exec(filter) ?? [];
  if (path !== undefined && !(row.mounts ?? [SHARED_STORAGE_PATH]).includes(path)) return false;
  if (filter.includes('label=kindproof.dev/run')) return row.run !== '';
  if (filter.includes('label=io.x-k8s.kind.cluster')) return row.cluster !== '';
  return row.role === 'image-build';
}

let folder: string;
let engine: FakeEngine;
let deps: SweepDeps;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'kp-unit-'));
  engine = new FakeEngine();
  await mkdir(join(folder, 'tmp'));
  deps = {
    run: engine,
    registry: { runsDir: join(folder, 'runs'), registryDir: join(folder, 'registry') },
    temporaryDir: join(folder, 'tmp'),
    now: () => NOW,
    clock: systemClock,
    log: silentLog,
  };
});
afterEach(() => rm(folder, { recursive: true, force: true }));

function has(kind: Kind, id: string, labels: Partial<Row> = {}): void {
  engine.things[kind].set(id, { id, name: `${id}-name`, run: '', cluster: '', ...labels });
}

const lockOf = (run: string) =>
  acquireRunLock(join(folder, 'runs', run), { registryDir: join(folder, 'registry') });

/** A run that was killed and left its record behind. */
async function crashed(run: string, changes: object = {}): Promise<void> {
  await lockOf(run);
  for (const file of [join(folder, 'runs', run, 'pid'), join(folder, 'registry', run)]) {
    const record = JSON.parse(await readFile(file, 'utf8')) as object;
    await writeFile(file, JSON.stringify({ ...record, pid: 4_194_999, ...changes }));
  }
}

/** `removed container a`, …, without records. */
async function sweep(options: SweepOptions = {}): Promise<string[]> {
  const items = await sweepLeftovers(deps, options);
  return items
    .filter(({ kind }) => kind !== 'record')
    .map(({ action, kind, name }) => `${action} ${kind} ${name}`);
}

const remaining = () =>
  Object.values(engine.things)
    .flatMap((things) => [...things.keys()])
    .sort();

describe('sweepLeftovers', () => {
  it('removes only labelled objects, containers first', async () => {
    await crashed('r1');
    has('container', 'node', { cluster: 'kp-r1' });
    has('container', 'postgres', { run: 'r1' });
    has('volume', 'data', { run: 'r1' });
    has('network', 'net', { run: 'r1' });
    has('container', 'someone');
    has('container', 'their-node', { cluster: 'kind' });
    expect(await sweep()).toEqual([
      'removed container postgres-name',
      'removed container node-name',
      'removed volume data-name',
      'removed network net-name',
    ]);
    expect(remaining()).toEqual(['someone', 'their-node']);
    expect(engine.commands).toContain('docker rm --force --volumes node');
  });

  it.each<[SweepOptions, string]>([
    [{}, 'left'],
    [{ all: true }, 'removed'],
    [{ runId: 'foo' }, 'removed'],
  ])(
    'with %j, does with a cluster and a volume without a record of their run: %s',
    async (options, action) => {
      has('container', 'node', { cluster: 'kp-foo' });
      has('volume', 'data', { run: 'foo' });
      const items = await sweepLeftovers(deps, options);
      expect(items.map((item) => item.action)).toEqual([action, action]);
      expect(items[0]?.reason ?? '--run kp-foo or --all').toContain('--run kp-foo or --all');
    },
  );

  it('leaves clusters of others whose node image was built by a run', async () => {
    has('container', 'their-node', { cluster: 'mine', run: 'r1', role: 'image-build' });
    expect(await sweep({ all: true })).toEqual([]);
  });

  it.each<[SweepOptions, string]>([
    [{ all: true }, ''],
    [{ runId: 'foo' }, ''],
    [{ runId: 'kp-foo' }, ''],
    [{ all: true }, 'r1'],
    [{ runId: 'r1' }, 'r1'],
  ])(
    'with %j, leaves a cluster named kp-… that kindproof did not create; its node image has the label of run "%s"',
    async (options, run) => {
      await crashed('r1', { kept: ['kp-foo'] });
      has('container', 'their-node', { cluster: 'kp-foo', run, mounts: ['/var'] });
      expect(await sweep(options)).toEqual([]);
      expect(remaining()).toEqual(['their-node']);
      expect(summariseLeftovers(await findLeftovers(deps))).toEqual([]);
    },
  );

  it('leaves everything of a run in progress', async () => {
    const lock = await lockOf('r1');
    await lock.useCluster('kp-shared');
    has('container', 'own', { cluster: 'kp-r1' });
    has('container', 'used', { cluster: 'kp-shared' });
    has('container', 'postgres', { run: 'r1' });
    has('container', 'other', { cluster: 'kp-r2' });
    await crashed('r2');
    expect((await sweep({ all: true })).sort()).toEqual([
      'left container own-name',
      'left container postgres-name',
      'left container used-name',
      'removed container other-name',
    ]);
    expect(remaining()).toEqual(['own', 'postgres', 'used']);
  });

  it.each<[SweepOptions, string]>([
    [{}, 'left'],
    [{ all: true }, 'removed'],
    [{ runId: 'r1' }, 'removed'],
    [{ runId: 'kp-r1' }, 'removed'],
    [{ runId: 'r2' }, 'nothing'],
  ])('with %j, does with a kept cluster: %s', async (options, action) => {
    await crashed('r1', { kept: ['kp-r1'] });
    has('container', 'node', { cluster: 'kp-r1' });
    expect(await sweep(options)).toEqual(action === 'nothing' ? [] : [`${action} container node-name`]);
  });

  it('removes services outside a kept cluster, because later runs start their own', async () => {
    await crashed('r1', { kept: ['kp-r1'] });
    has('container', 'node', { cluster: 'kp-r1' });
    has('container', 'postgres', { run: 'r1' });
    expect(await sweep()).toEqual(
      expect.arrayContaining(['removed container postgres-name', 'left container node-name']),
    );
  });

  it('assigns a cluster that several runs kept to the latest run', async () => {
    await crashed('r1', { kept: ['kp-desk'], startedAt: '2026-01-08T00:00:00.000Z' });
    await crashed('r2', { kept: ['kp-desk'], startedAt: '2026-01-09T00:00:00.000Z' });
    has('container', 'node', { cluster: 'kp-desk' });
    expect(await sweep({ runId: 'r1' })).toEqual([]);
    expect(await sweep({ runId: 'r2' })).toEqual(['removed container node-name']);
  });

  it('ignores kept clusters that no longer exist', async () => {
    await crashed('r1', { kept: ['kp-desk'] });
    has('volume', 'data', { run: 'r1' });
    expect(await sweep()).toEqual(['removed volume data-name']);
    expect(await readdir(join(folder, 'registry'))).toEqual([]);
  });

  it('rejects the id of a run in progress', async () => {
    await lockOf('r1');
    await expect(sweep({ runId: 'r1' })).rejects.toMatchObject({ code: 'E_RUN_ALIVE', exitCode: 2 });
  });

  it('changes nothing with dryRun', async () => {
    await crashed('r1');
    has('container', 'node', { cluster: 'kp-r1' });
    expect(await sweep({ dryRun: true })).toEqual(['would-remove container node-name']);
    expect(remaining()).toEqual(['node']);
    expect(await readdir(join(folder, 'registry'))).toEqual(['r1']);
  });

  it.each([
    ['Error response from daemon: No such container: node', 'gone'],
    ['Error: removal of container node is already in progress', 'gone'],
    ['Error: permission denied', 'failed'],
  ])('reports "%s" of the engine as %s', async (message, action) => {
    await crashed('r1');
    has('container', 'node', { cluster: 'kp-r1' });
    has('volume', 'data', { run: 'r1' });
    engine.refusals.set('node', message);
    expect(await sweep()).toEqual([`${action} container node-name`, 'removed volume data-name']);
  });

  it('removes kubeconfigs and records of ended runs, but not their reports', async () => {
    await crashed('r1');
    await writeFile(join(folder, 'runs/r1/kubeconfig'), 'secret');
    await writeFile(join(folder, 'runs/r1/report.json'), '{}');
    expect(await sweep()).toEqual(['removed file r1/kubeconfig']);
    expect(await readdir(join(folder, 'runs/r1'))).toEqual(['report.json']);
    expect(await readdir(join(folder, 'registry'))).toEqual([]);
  });

  it('removes the kubeconfig of a killed run on an existing cluster, and keeps its record until that is swept', async () => {
    await crashed('r1', { existing: { kubeconfig: '/home/me/staging.yaml', context: 'staging' } });
    await writeFile(join(folder, 'runs/r1/kubeconfig'), 'secret');
    const items = await sweepLeftovers(deps);
    expect(items).toMatchObject([
      { kind: 'file', name: 'r1/kubeconfig', action: 'removed' },
      {
        kind: 'record',
        action: 'left',
        reason: expect.stringMatching(
          /--cluster existing --kubeconfig \/home\/me\/staging.yaml --context staging$/,
        ),
      },
    ]);
    expect(await readdir(join(folder, 'registry'))).toEqual(['r1']);
    await sweepLeftovers(deps, { all: true });
    expect(await readdir(join(folder, 'registry'))).toEqual([]);
  });

  it('removes the kubeconfigs of a kept cluster together with the cluster', async () => {
    for (const run of ['r1', 'r2']) {
      await crashed(run, { kept: ['kp-desk'] });
      await writeFile(join(folder, `runs/${run}/kubeconfig`), 'secret');
    }
    has('container', 'node', { cluster: 'kp-desk' });
    expect((await sweep({ runId: 'kp-desk' })).sort()).toEqual([
      'removed container node-name',
      'removed file r1/kubeconfig',
      'removed file r2/kubeconfig',
    ]);
    expect(await readdir(join(folder, 'registry'))).toEqual([]);
  });

  it.each([
    ['kindproof-r1-chart', 0, 'removed'],
    ['kindproof-alive-chart', 0, 'left'],
    ['kindproof-images-x', 7, 'removed'],
    ['kindproof-images-x', 1, 'nothing'],
    ['kindproof-shared-kp-r1', 0, 'removed'],
    ['kindproof-shared-kp-kept', 100, 'left'],
    ['kindproof-shared-kp-gone', 100, 'removed'],
    ['kindproof-runs-0', 100, 'nothing'],
    ['something-else', 100, 'nothing'],
  ])('does with the temporary folder %s after %d h: %s', async (name, hours, action) => {
    await crashed('r1');
    await crashed('kept', { kept: ['kp-kept', 'kp-gone'] });
    has('container', 'node', { cluster: 'kp-kept' });
    await lockOf('alive');
    const path = join(folder, 'tmp', name);
    await mkdir(path);
    const time = new Date(NOW - hours * 3_600_000);
    await utimes(path, time, time);
    const folders = (await sweep()).filter((line) => line.includes(' folder '));
    expect(folders).toEqual(action === 'nothing' ? [] : [`${action} folder ${name}`]);
    await expect(
      stat(path).then(
        () => 'exists',
        () => 'missing',
      ),
    ).resolves.toBe(action === 'removed' ? 'missing' : 'exists');
  });

  it.each([
    ['2026-01-10 08:00:00 +0000 UTC', ['removed container build-name']],
    ['2026-01-10 11:55:00 +0000 UTC', []],
    ['?', []],
  ])('treats a build container created at %s', async (created, expected) => {
    has('container', 'build', { role: 'image-build', created });
    expect(await sweep()).toEqual(expected);
  });

  it.each<[SweepOptions, string, string[]]>([
    [{}, '', []],
    [{ network: true }, '', ['removed network kind']],
    [{ network: true }, 'abc\n', ['left network kind']],
    [{ network: true, dryRun: true }, '', ['would-remove network kind']],
  ])("treats kind's network with %j and containers %j on it", async (options, users, expected) => {
    has('network', 'kind');
    engine.onKindNetwork = users;
    expect(await sweep(options)).toEqual(expected);
  });

  it('fails when the engine does not answer', async () => {
    engine.down = true;
    await expect(sweep()).rejects.toMatchObject({
      exitCode: 3,
      hint: expect.stringContaining('doctor') as string,
    });
  });
});

describe('summariseLeftovers', () => {
  it('counts a cluster as one thing', async () => {
    await crashed('r1');
    has('container', 'a', { cluster: 'kp-r1' });
    has('container', 'b', { cluster: 'kp-r1' });
    has('volume', 'data', { run: 'r1' });
    expect(summariseLeftovers(await findLeftovers(deps))).toEqual([
      { kind: 'cluster', name: 'kp-r1 (2 nodes)', state: 'stale' },
      { kind: 'volume', name: 'data-name', state: 'stale' },
    ]);
  });

  it.each([
    ['kp-desk', [{ kind: 'cluster', name: 'kp-desk (1 node)', state: 'kept' }]],
    ['kp-other', [{ kind: 'file', name: 'r1/kubeconfig', state: 'stale' }]],
  ])('with cluster %s, counts the kubeconfig of the kept kp-desk', async (cluster, expected) => {
    await crashed('r1', { kept: ['kp-desk'] });
    await writeFile(join(folder, 'runs/r1/kubeconfig'), 'secret');
    has('container', 'node', { cluster });
    const facts = summariseLeftovers(await findLeftovers(deps));
    expect(facts.filter(({ name }) => !name.startsWith('kp-other'))).toEqual(expected);
  });
});
