import { createHash } from 'node:crypto';
import { chmod, readdir, readFile, writeFile } from 'node:fs/promises';
import type { Server } from 'node:http';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { CommandRunner } from '../../core/command.ts';
import { silentLog } from '../../core/log.ts';
import type { FakeMachine } from '../../testing/fake-programs.ts';
import { fakeMachine } from '../../testing/fake-programs.ts';
import { thisPlatform } from './platform.ts';
import type { ToolDeps } from './deps.ts';
import { expectedSource, resolveTool } from './resolve-tool.ts';
import { versionIn } from './version.ts';
import type { ToolPin } from './versions.ts';
import { TOOL_PINS } from './versions.ts';

const PLATFORM = thisPlatform() ?? 'linux-amd64';
const script = (version: string) => `#!/bin/sh\necho "kind v${version} go1.26 linux/amd64"\n`;
const says = (version: string) => `echo "kind v${version} go1.26 linux/amd64"`;

/** A Go that "builds" a program which reports the version that go.mod in the working directory requires, and notes its environment. */
const GO = `
case "$1" in
  mod) exit 0 ;;
  build)
    for name in GOFLAGS GOSUMDB GONOSUMDB GONOSUMCHECK GOPRIVATE GOINSECURE GOPROXY SSL_CERT_FILE; do
      eval "echo \\"$name=\\$$name\\"" >>"$STATE/go-env"
    done
    echo "$*" >"$STATE/go-build"
    echo "$GOTOOLCHAIN" >"$STATE/go-toolchain"
    while [ $# -gt 1 ]; do [ "$1" = -o ] && out="$2"; shift; done
    while read -r path version _; do
      case "$1" in "$path" | "$path"/*) required="$version" ;; esac
    done <go.mod
    printf '#!/bin/sh\\necho %s\\n' "$required" >"$out" ;;
esac`;

/** Reports the pinned version, and leaves a trace when it is run. */
const POISONED = '#!/bin/sh\n: >"$STATE/poisoned"\necho "kind v0.33.0 go1.26 linux/amd64"\n';

let machine: FakeMachine;
let server: Server | undefined;
let progress: string[];

beforeEach(async () => {
  machine = await fakeMachine(['sh', 'echo', 'grep', 'tar', 'gzip', 'printf']);
  progress = [];
});
afterEach(async () => {
  const listening = server;
  if (listening) await new Promise((done) => listening.close(done));
  server = undefined;
  await machine.dispose();
});

function deps(pin: Partial<ToolPin['release']> = {}): ToolDeps {
  const unpinned = (tool: ToolPin): ToolPin => ({ ...tool, release: { ...tool.release, sha256: {} } });
  const kind = { ...TOOL_PINS.kind, release: { ...TOOL_PINS.kind.release, sha256: {}, ...pin } };
  return {
    run: machine.run,
    log: silentLog,
    cacheDir: join(machine.folder, 'cache'),
    env: machine.env,
    onProgress: (text) => progress.push(text),
    pins: { kind, helm: unpinned(TOOL_PINS.helm), chainsaw: TOOL_PINS.chainsaw },
  };
}

async function release(body: string, status = 200): Promise<string> {
  const listening = createServer((_, response) => {
    response.writeHead(status);
    response.end(body);
  });
  server = listening;
  await new Promise<void>((ready) => {
    listening.listen(0, '127.0.0.1', ready);
  });
  return `http://127.0.0.1:${(listening.address() as AddressInfo).port}/kind`;
}

const pinned = (url: string, body: string) => ({
  url: () => url,
  sha256: { [PLATFORM]: createHash('sha256').update(body).digest('hex') },
});

describe('resolveTool', () => {
  it.each(['0.33.0', '0.33.4'])('uses kind %s on PATH', async (version) => {
    const path = await machine.program('kind', says(version));
    expect(await resolveTool('kind', deps())).toEqual({ name: 'kind', path, version, source: 'path' });
  });

  it.each(['0.32.9', '1.33.0'])('ignores kind %s on PATH and reports it', async (version) => {
    const path = await machine.program('kind', says(version));
    await machine.program('go', GO);
    expect(await resolveTool('kind', deps())).toMatchObject({ version: '0.33.0', source: 'module' });
    expect(progress[0]).toBe(`${path} is ${version}; 0.33.x is needed: it is not used`);
  });

  it('uses the program in the cache', async () => {
    await machine.program('go', GO);
    const first = await resolveTool('kind', deps());
    expect(await resolveTool('kind', deps())).toEqual({ ...first, source: 'cache' });
  });

  it('downloads a release with the pinned checksum', async () => {
    const url = await release(script('0.33.0'));
    const found = await resolveTool('kind', deps(pinned(url, script('0.33.0'))));
    expect(found).toMatchObject({ version: '0.33.0', source: 'release' });
    expect(await machine.calls()).toEqual([]);
  });

  it('rejects a download with another checksum', async () => {
    const url = await release(script('0.33.0'));
    await expect(resolveTool('kind', deps(pinned(url, 'something else')))).rejects.toMatchObject({
      code: 'E_TOOL_MISSING',
      message: expect.stringContaining('pinned is'),
      hint: expect.stringContaining('install Go'),
    });
    expect(await readdir(join(machine.folder, 'cache', 'tools'))).toEqual([]);
  });

  it.each([
    ['no checksum is pinned for this platform', () => Promise.resolve({})],
    ['the release page does not have it', async () => pinned(await release('', 404), '')],
    [
      'the downloaded program has another version',
      async () => pinned(await release(script('0.1.0')), script('0.1.0')),
    ],
  ])('builds it from its module when %s', async (_, pin) => {
    await machine.program('go', GO);
    expect(await resolveTool('kind', deps(await pin()))).toMatchObject({ source: 'module' });
  });

  it('keeps one complete program when two runs build it concurrently', async () => {
    await machine.program('go', GO);
    const found = await Promise.all([resolveTool('kind', deps()), resolveTool('kind', deps())]);
    expect(new Set(found.map(({ path }) => path)).size).toBe(1);
    expect(await readdir(join(machine.folder, 'cache', 'tools'))).toEqual(['kind-0.33.0']);
  });

  it('builds kind and helm concurrently', async () => {
    await machine.program('go', GO);
    const found = await Promise.all([resolveTool('helm', deps()), resolveTool('kind', deps())]);
    expect(found.map(({ name, version, source }) => [name, version, source])).toEqual([
      ['helm', TOOL_PINS.helm.version, 'module'],
      ['kind', TOOL_PINS.kind.version, 'module'],
    ]);
    const cached = await readdir(join(machine.folder, 'cache', 'tools'));
    expect(cached.sort()).toEqual([`helm-${TOOL_PINS.helm.version}`, `kind-${TOOL_PINS.kind.version}`]);
    // Lines of the two builds mix, so each names its tool.
    for (const line of progress) expect(line).toMatch(/\b(kind|helm) \d/);
  });

  it('replaces a cached program that does not run', async () => {
    await machine.program('go', GO);
    await machine.file('cache/tools/kind-0.33.0/kind', 'not a program');
    expect(await resolveTool('kind', deps())).toMatchObject({ source: 'module' });
    expect(await resolveTool('kind', deps())).toMatchObject({ source: 'cache' });
  });

  it.each([
    ['another program', (path: string) => writeFile(path, POISONED)],
    [
      'another program with a record of its own in the cache',
      async (path: string) => {
        await writeFile(path, POISONED);
        const sum = createHash('sha256').update(POISONED).digest('hex');
        for (const name of ['sha256', 'kind.sha256', `kind-0.33.0-${sum}`]) {
          await writeFile(join(path, '..', name), `${sum}\n`);
        }
      },
    ],
  ])(
    'replaces %s in the cache without running it, although it reports the pinned version',
    async (_, poison) => {
      await machine.program('go', GO);
      const { path } = await resolveTool('kind', deps());
      const built = await readFile(path, 'utf8');
      await poison(path);

      expect(await resolveTool('kind', deps())).toMatchObject({ source: 'module', path });
      expect(await readFile(path, 'utf8')).toBe(built);
      expect(await readdir(machine.folder)).not.toContain('poisoned');
      expect(progress.join('\n')).toContain(`${path} is not what this account installed: it is not used`);
    },
  );

  it('does not trust a cache that comes from another machine or account', async () => {
    await machine.program('go', GO);
    await resolveTool('kind', deps());
    const elsewhere = { ...deps(), env: { ...machine.env, HOME: join(machine.folder, 'other-home') } };

    expect(await resolveTool('kind', elsewhere)).toMatchObject({ source: 'module' });
    expect(await resolveTool('kind', elsewhere)).toMatchObject({ source: 'cache' });
  });

  it('does not trust records that other users can write', async () => {
    await machine.program('go', GO);
    await resolveTool('kind', deps());
    await chmod(join(machine.folder, '.local/state/kindproof/tools'), 0o777);

    expect(await resolveTool('kind', deps())).toMatchObject({ source: 'module' });
  });

  it('gets the program also when it cannot be recorded, and says that the next run gets it again', async () => {
    await machine.program('go', GO);
    await machine.file('.local', 'a file');

    expect(await resolveTool('kind', deps())).toMatchObject({ source: 'module' });
    expect(await resolveTool('kind', deps())).toMatchObject({ source: 'module' });
    expect(progress.join('\n')).toContain('the next run gets it again');
  });

  it('builds with an older Go what the newest cannot build', async () => {
    await machine.program('go', GO);
    expect(await resolveTool('chainsaw', deps())).toMatchObject({ version: '0.2.12', source: 'module' });
    const used = await readFile(join(machine.folder, 'go-toolchain'), 'utf8');
    expect(used.trim()).toBe(TOOL_PINS.chainsaw.module.toolchain);
  });

  it('builds with the checksums of this repository, whatever the environment says about checksums', async () => {
    await machine.program('go', GO);
    const env = {
      ...machine.env,
      GOFLAGS: '-mod=mod',
      GOSUMDB: 'off',
      GONOSUMDB: '*',
      GONOSUMCHECK: '1',
      GOPRIVATE: '*',
      GOINSECURE: '*',
      GOPROXY: 'https://mirror.test',
      SSL_CERT_FILE: '/ca.pem',
    };
    const run: CommandRunner = {
      run: (file, args, options) =>
        machine.run.run(file, args, { ...options, env: { ...env, ...options?.env } }),
    };

    await resolveTool('kind', { ...deps(), env, run });

    expect((await readFile(join(machine.folder, 'go-env'), 'utf8')).split('\n')).toEqual([
      'GOFLAGS=-mod=readonly -buildvcs=false',
      'GOSUMDB=',
      'GONOSUMDB=',
      'GONOSUMCHECK=',
      'GOPRIVATE=',
      'GOINSECURE=',
      'GOPROXY=https://mirror.test',
      'SSL_CERT_FILE=/ca.pem',
      '',
    ]);
  });

  it('builds helm with the Kubernetes version of its client library', async () => {
    await machine.program('go', GO);
    await resolveTool('helm', deps());

    expect(await readFile(join(machine.folder, 'go-build'), 'utf8')).toContain(
      'chartutil.k8sVersionMinor=37 ',
    );
  });

  it('reports every attempt when all fail', async () => {
    await machine.program('go', 'echo "go: no such module" >&2; exit 1');
    const error = await resolveTool('kind', deps()).catch((thrown: unknown) => thrown);
    expect(String(error)).toContain('PATH: kind is missing');
    expect(String(error)).toContain('release: no checksum is pinned');
    expect(String(error)).toContain('go: no such module');
  });

  it("sets the linker variables of Helm's release build", () => {
    const module = { ...TOOL_PINS.helm.module };
    expect(module.variables(() => 'v0.37.1')).toMatchObject({
      'helm.sh/helm/v3/internal/version.version': `v${TOOL_PINS.helm.version}`,
      'helm.sh/helm/v3/pkg/chartutil.k8sVersionMinor': '37',
    });
  });
});

describe('expectedSource', () => {
  it('reports that the tool is impossible to get without checksum and Go', async () => {
    expect(await expectedSource('kind', deps())).toEqual({ how: '', possible: false });
  });

  it('describes the build when Go is installed', async () => {
    await machine.program('go', GO);
    expect(await expectedSource('kind', deps())).toMatchObject({
      how: expect.stringContaining('built from its Go module'),
      possible: true,
    });
  });
});

describe('the module of', () => {
  it.each(Object.values(TOOL_PINS))('$name requires the pinned version and has its checksum', async (pin) => {
    const folder = new URL(`modules/${pin.name}/`, import.meta.url);
    const [goMod, goSum] = await Promise.all(
      ['go.mod', 'go.sum'].map((name) => readFile(new URL(name, folder), 'utf8')),
    );

    expect(goMod).toContain(`\ngo ${pin.module.go}\n`);
    expect(goMod).toContain(`\ntool ${pin.module.package}\n`);
    expect(goMod).toMatch(new RegExp(`^\\s${pin.module.path} v${pin.version} `, 'm'));
    expect(goSum).toMatch(new RegExp(`^${pin.module.path} v${pin.version} h1:`, 'm'));
    // Without checksums of their own, replaced modules would be local folders.
    expect(goMod).not.toMatch(/^\s*replace\b/m);
  });
});

describe('the pins', () => {
  it.each(Object.values(TOOL_PINS))('of $name are consistent', (pin) => {
    const version = versionIn(pin.version);
    expect(version && pin.accepts.test(version)).toBe(true);
    expect(pin.release.url('linux-amd64')).toContain(`v${pin.version}`);
    for (const sum of Object.values(pin.release.sha256)) expect(sum).toMatch(/^[0-9a-f]{64}$/);
  });

  it.each([
    ['3.14.0', true],
    ['3.13.9', false],
    ['4.0.0', false],
  ])('helm %s is accepted: %s', (text, accepted) => {
    const version = versionIn(text);
    expect(version && TOOL_PINS.helm.accepts.test(version)).toBe(accepted);
  });
});

describe('versionIn', () => {
  it.each([
    ['kind v0.33.0 go1.26.8 linux/amd64', '0.33.0'],
    ['v3.22.0', '3.22.0'],
    ['github.com/docker/buildx 0.13.1+ds1 0.13.1+ds1-3', '0.13.1'],
    ['no version here', undefined],
  ])('%s', (output, expected) => {
    expect(versionIn(output)?.text).toBe(expected);
  });
});
