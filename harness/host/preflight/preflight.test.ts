import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { FakeHost } from '../../testing/fake-host.ts';
import { fakeHost, GIB, only } from '../../testing/fake-host.ts';
import { sentenceOf, type Finding, type LeftoverFact } from './finding.ts';
import type { Machine } from './machine.ts';

let host: FakeHost;

beforeEach(async () => {
  host = await fakeHost();
  await host.engine();
  await host.up();
});
afterEach(() => host.fake.dispose());

const memory = (available: number): Partial<Machine> => ({
  memory: () => Promise.resolve({ available, total: 24 * GIB }),
});
const freeBytes = (bytes: number): Partial<Machine> => ({ freeBytes: () => Promise.resolve(bytes) });

describe('preflight on a healthy machine', () => {
  it('reports only ok findings', async () => {
    const findings = await host.look();
    expect(findings.filter(({ status }) => status !== 'ok')).toEqual([]);
    expect(only(findings, 'engine').found).toBe('Docker 26.1.5+dfsg1, API 1.45, client 28.2.2');
  });

  it('changes nothing with fix', async () => {
    await host.look({ fix: true });
    expect((await host.fake.calls()).filter((call) => !/^docker (info|version|buildx)/.test(call))).toEqual(
      [],
    );
  });

  it('skips the engine and inotify for an existing cluster without image builds', async () => {
    const ids = (await host.look({ need: { cluster: 'existing', buildImages: false } })).map(({ id }) => id);
    expect(ids).not.toContain('engine');
    expect(ids).not.toContain('inotify-instances');
  });

  it('hides the password of a proxy', async () => {
    host.deps.env = { ...host.deps.env, HTTPS_PROXY: 'http://me:secret@proxy.test:3128' };
    expect(only(await host.look(), 'proxy').found).toBe('HTTPS_PROXY=http://***@proxy.test:3128');
  });
});

describe('preflight reports', () => {
  it.each<[string, Partial<Machine>, string, Finding['status'], RegExp]>([
    ['an old Node', { nodeVersion: '18.20.1' }, 'node', 'problem', /20\.19/],
    ['one CPU', { cpus: 1 }, 'cpus', 'warning', /2 recommended/],
    ['4 GiB for 4 nodes', memory(4 * GIB), 'memory', 'warning', /5\.0 GiB needed for 4 nodes/],
    ['2 GiB for 4 nodes', memory(2 * GIB), 'memory', 'problem', /needed/],
    ['1 GiB of disk', freeBytes(GIB), 'disk-project', 'problem', /2 GiB needed/],
  ])('%s', async (_, facts, id, status, found) => {
    host.change(facts);
    const finding = only(await host.look(), id);
    expect(finding).toMatchObject({ status, found: expect.stringMatching(found) as string });
    expect(finding.why).not.toBe('');
    expect(finding.remedy).not.toBe('');
  });

  it.each([
    [8, false, 'ok'],
    [8, true, 'problem'],
    [5, false, 'problem'],
  ])(
    '%d GiB on the disk of the engine, node image to build: %s -> %s',
    async (free, buildNodeImage, status) => {
      await mkdir(join(host.fake.folder, 'var/lib/docker'), { recursive: true });
      host.change(freeBytes(free * GIB));
      expect(only(await host.look({ need: { buildNodeImage } }), 'disk-engine').status).toBe(status);
    },
  );

  it.each([
    [1024, 524_288, 'ok', 'ok'],
    [512, 65_536, 'warning', 'warning'],
    [128, 8192, 'problem', 'problem'],
  ])('inotify %d and %d -> %s, %s', async (instances, watches, first, second) => {
    await host.inotify(instances, watches);
    const findings = await host.look();
    expect(only(findings, 'inotify-instances').status).toBe(first);
    expect(only(findings, 'inotify-watches').status).toBe(second);
  });

  it.each([
    [[{ kind: 'cluster', name: 'kp-1 (4 nodes)', state: 'stale' as const }], 'warning', 'kp-1'],
    [[{ kind: 'cluster', name: 'kp-1', state: 'alive' as const }], 'ok', '1 in use or kept'],
    [
      [{ kind: 'cluster', name: 'kp-1', state: 'unowned' as const }],
      'warning',
      'without a record of the run',
    ],
    [[], 'ok', 'none'],
  ])('leftovers %j -> %s', async (leftovers, status, found) => {
    host.deps.leftovers = () => Promise.resolve(leftovers);
    expect(only(await host.look(), 'leftovers')).toMatchObject({
      status,
      found: expect.stringContaining(found) as string,
    });
  });

  it.each([
    ['cluster', /use CPU, memory/],
    ['volume', /^They use disk space/],
    ['file', /^They contain credentials of clusters that no longer exist/],
  ])('says why a leftover %s matters', async (kind, why) => {
    host.deps.leftovers = () => Promise.resolve([{ kind, name: 'x', state: 'stale' }]);
    expect(only(await host.look(), 'leftovers').why).toMatch(why);
  });
});

describe('preflight with fix', () => {
  beforeEach(() => host.inotify(128, 524_288));
  const afterFix = async (interactive = false) =>
    only(await host.look({ fix: true, interactive }), 'inotify-instances');

  it('removes what ended runs left, and never what has no record of its run', async () => {
    const left: LeftoverFact[] = [
      { kind: 'cluster', name: 'kp-dead (6 nodes)', state: 'stale' },
      { kind: 'cluster', name: 'kp-theirs (6 nodes)', state: 'unowned' },
    ];
    host.deps.leftovers = () => Promise.resolve(left);
    host.deps.removeLeftovers = () => {
      left.shift();
      return Promise.resolve();
    };
    expect(only(await host.look(), 'leftovers').found).toContain('kp-dead');
    const after = only(await host.look({ fix: true }), 'leftovers');
    expect(after).toMatchObject({ status: 'warning', remedy: expect.stringContaining('--all') as string });
    expect(after.found).toMatch(/^1: cluster kp-theirs/);
    expect(only(await host.look({ fix: true }), 'leftovers').found).toMatch(/^1: cluster kp-theirs/);
  });

  it('fixes what it can and reports it', async () => {
    expect(await afterFix()).toMatchObject({ status: 'fixed', found: '1024' });
    expect(host.progress.join()).toContain('set fs.inotify.max_user_instances=1024 until the next reboot');
  });

  it('prints the command for a user without root', async () => {
    host.change({ root: false });
    const finding = await afterFix();
    expect(finding.status).toBe('problem');
    expect(finding.remedy).toContain('sudo sysctl -w fs.inotify.max_user_instances=1024');
  });

  it.each([
    [true, 'fixed'],
    [false, 'problem'],
  ])('asks a user at the terminal first: %s -> %s', async (answer, status) => {
    const questions: string[] = [];
    host.deps.confirm = (question) => {
      questions.push(question);
      return Promise.resolve(answer);
    };
    expect((await afterFix(true)).status).toBe(status);
    expect(questions).toHaveLength(1);
  });

  it('reports why a fix failed', async () => {
    host.change({ write: () => Promise.reject(new Error('read-only file system')) });
    expect(await afterFix()).toMatchObject({
      status: 'problem',
      found: expect.stringContaining('the fix failed: read-only file system') as string,
    });
  });
});

describe('sentenceOf', () => {
  it.each([
    ['128 of 512', 'Inotify: 128 of 512.'],
    ['Is the docker daemon running?', 'Inotify: Is the docker daemon running?'],
  ])('ends "%s" with one punctuation mark', (found, sentence) => {
    expect(sentenceOf({ title: 'Inotify', found })).toBe(sentence);
  });
});
