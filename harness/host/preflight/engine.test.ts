import { mkdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { FakeHost } from '../../testing/fake-host.ts';
import { fakeHost, INFO, only } from '../../testing/fake-host.ts';
import type { Finding } from './finding.ts';

let host: FakeHost;

beforeEach(async () => {
  host = await fakeHost();
});
afterEach(() => host.fake.dispose());

const engineAfterFix = async () => only(await host.look({ fix: true }), 'engine');
const ROOTLESS = { SecurityOptions: ['name=rootless'] };

describe('an engine that answers', () => {
  it.each<[string, object, object, string, Finding['status']]>([
    ['of an old API', {}, { ApiVersion: '1.40' }, 'engine', 'problem'],
    ['of API 1.41', {}, { ApiVersion: '1.41' }, 'engine', 'ok'],
    ['Podman', {}, { ApiVersion: '1.41', Components: [{ Name: 'Podman Engine' }] }, 'engine', 'warning'],
    ['rootless with cgroup v1', ROOTLESS, { ApiVersion: '1.45' }, 'engine-cgroup', 'problem'],
    [
      'rootless with v2',
      { ...ROOTLESS, CgroupVersion: '2' },
      { ApiVersion: '1.45' },
      'engine-cgroup',
      'warning',
    ],
  ])('%s', async (_, info, server, id, status) => {
    await host.engine({ ...INFO, ...info }, server);
    await host.up();
    expect(only(await host.look(), id).status).toBe(status);
  });

  it.each([
    ['20.10.24', 'problem'],
    ['26.1.5', 'ok'],
  ])('%s without CAP_SYS_RESOURCE -> %s', async (ServerVersion, status) => {
    await host.engine({ ...INFO, ServerVersion });
    await host.up();
    await host.fake.file('proc/self/status', 'Name:\tnode\nCapBnd:\t000001fffeffffff\n');
    expect(only(await host.look(), 'capabilities').status).toBe(status);
  });

  it('needs buildx to build images, and fix installs it', async () => {
    await host.engine();
    await host.up();
    await host.fake.file('no-buildx', '');
    await host.apt();
    expect(only(await host.look(), 'buildx').status).toBe('problem');
    expect(only(await host.look({ fix: true }), 'buildx').status).toBe('fixed');
  });
});

describe('an installed engine that is not running', () => {
  beforeEach(() => host.engine());

  it('is reported with the message of the client', async () => {
    await host.daemon();
    const finding = only(await host.look(), 'engine');
    expect(finding.status).toBe('problem');
    expect(finding.found).toContain('Cannot connect to the Docker daemon');
    expect(finding.remedy).toContain('setsid');
  });

  it('is started, with its output in a log', async () => {
    await host.daemon();
    expect((await engineAfterFix()).status).toBe('fixed');
    expect(await host.fake.calls()).not.toContainEqual(expect.stringMatching(/^apt-get/));
    const log = await readFile(join(host.fake.folder, 'var/log/dockerd.log'), 'utf8');
    expect(log).toContain('API listen');
  });

  it('reports the end of its log when it does not start', async () => {
    await host.daemon("echo 'failed to start daemon: iptables not found' >&2; exit 1");
    const { status, found } = await engineAfterFix();
    expect(status).toBe('problem');
    expect(found).toContain('its process has ended');
    expect(found).toContain('failed to start daemon: iptables not found');
  });

  it('is started despite the pid file of a killed engine', async () => {
    await host.daemon('[ -e "$STATE/var/run/docker.pid" ] && exit 1; touch "$STATE/up"; exec sleep 2');
    // Above the highest process id of Linux.
    await host.fake.file('var/run/docker.pid', '4194999');
    expect((await engineAfterFix()).status).toBe('fixed');
  });

  it('is not started again while its process is running', async () => {
    await host.daemon();
    const file = await host.fake.file('var/run/docker.pid', '77');
    host.change({ processName: (pid) => Promise.resolve(pid === 77 ? 'dockerd' : undefined) });
    expect((await engineAfterFix()).found).toContain('dockerd is running (process 77)');
    expect(await readFile(file, 'utf8')).toBe('77');
  });

  it('is started by systemd where it runs', async () => {
    await host.daemon('exit 1');
    await mkdir(join(host.fake.folder, 'run/systemd/system/docker.service.d'), { recursive: true });
    await host.fake.program('systemctl', 'touch "$STATE/up"');
    expect((await engineAfterFix()).status).toBe('fixed');
    expect(await host.fake.calls()).toContain('systemctl start docker');
  });

  it('is not started when DOCKER_HOST names another engine', async () => {
    await host.daemon();
    host.deps.env = { ...host.deps.env, DOCKER_HOST: 'tcp://10.0.0.1:2375' };
    expect(await engineAfterFix()).toMatchObject({
      status: 'problem',
      remedy: expect.stringContaining('DOCKER_HOST is tcp://10.0.0.1:2375') as string,
    });
  });
});

describe('a missing engine', () => {
  it.each([
    ['ID=fedora\n', 'docs.docker.com/engine/install'],
    ['ID=debian\nVERSION_ID="11"\n', 'docs.docker.com/engine/install'],
    ['ID=ubuntu\nID_LIKE=debian\nVERSION_CODENAME=noble\nPRETTY_NAME="Ubuntu 24.04"\n', 'Ubuntu 24.04'],
    ['ID=debian\nVERSION_ID="13"\nVERSION_CODENAME=trixie\n', "Debian's docker.io"],
  ])('on %j: %s', async (release, remedy) => {
    await host.fake.file('etc/os-release', release);
    expect(only(await host.look(), 'engine').remedy).toContain(remedy);
  });

  it("is installed from the newer suite of the machine's own mirror, and started", async () => {
    await host.packed();
    expect((await engineAfterFix()).status).toBe('fixed');
    const apt = (await host.fake.calls()).filter((call) => call.startsWith('apt-get'));
    expect(apt.map((call) => call.replace(/-o \S+ /g, '').replaceAll(/\S+\/debs\//g, ''))).toEqual([
      'apt-get update',
      'apt-get download docker.io docker-cli docker-buildx containerd',
      'apt-get update',
      'apt-get install -y --no-install-recommends docker-cli_26_amd64.deb docker.io_26_amd64.deb',
    ]);
    for (const call of apt) expect(call).toContain('Dir::Etc::SourceList=/dev/null');
    expect(host.progress.join('\n')).toContain("Debian 13's docker.io");
  });

  it('is not installed without root', async () => {
    await host.packed();
    host.change({ root: false });
    const finding = await engineAfterFix();
    expect(finding).toMatchObject({ status: 'problem', found: 'docker is not on PATH' });
    expect(finding.remedy).toContain('sudo npm run doctor -- --fix');
    expect(await host.fake.calls()).toEqual([]);
  });

  it('is not installed when apt has no Debian mirror', async () => {
    await host.packed();
    await host.fake.file('etc/apt/sources.list.d/debian.sources', '');
    expect((await engineAfterFix()).found).toContain('no source of bookworm main');
  });
});
