/** The programs of the image are compiled from the modules in this folder, and from no others. */
import { copyFile, readdir, readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { FakeMachine } from '../../harness/testing/fake-programs.ts';
import { fakeMachine } from '../../harness/testing/fake-programs.ts';
import { buildArguments, readRecipe } from './recipe.ts';

const read = async (file: string) => readFile(new URL(file, import.meta.url), 'utf8');
const goBuild = fileURLToPath(new URL('build/go-build', import.meta.url));
const dockerfile = await read('Dockerfile');
const { versions } = await readRecipe();
const built = buildArguments(versions);

interface Program {
  /** Folder of go.mod and go.sum. */
  folder: string;
  module: string;
  /** The version in versions.json that the Dockerfile builds. */
  version: string;
}

/** From the stages of the Dockerfile: `COPY modules/etcd ./` and `go-build go.etcd.io/etcd/server/v3@${ETCD_VERSION} tool`. */
const programs: Program[] = dockerfile
  .split(/^FROM /m)
  .map((stage) => ({ stage, call: /\bgo-build (\S+)@([\w.]*)\$\{(\w+)(?:#(\w+\.))?\}/.exec(stage) }))
  .flatMap(({ stage, call }) => {
    if (call === null) return [];
    const [, module = '', before = '', argument = '', without = ''] = call;
    const value = built[argument] ?? '';
    const version = before + (value.startsWith(without) ? value.slice(without.length) : value);
    return [{ folder: /^COPY (\S+) \.\/$/m.exec(stage)?.[1] ?? '', module, version }];
  });

describe('the Dockerfile', () => {
  it('compiles every program from the modules in a folder of its own', async () => {
    const folders = (await readdir(new URL('modules', import.meta.url))).map((name) => `modules/${name}`);
    expect(programs.map(({ folder }) => folder).sort()).toEqual([...folders, 'network-policy'].sort());
  });

  it('has no version of a program that is not checked', () => {
    const versionsOf = new Set([...dockerfile.matchAll(/\bgo-build \S+\$\{(\w+)/g)].map(([, name]) => name));
    expect(versionsOf).toEqual(new Set(Object.keys(built).filter((name) => name !== 'GO_VERSION')));
  });

  it('runs Go only where go.sum decides', async () => {
    const code = `${dockerfile}\n${await read('build/go-build')}`.replaceAll(/^\s*#.*$/gm, '');
    const calls = [...code.matchAll(/go (build|get|install|list|mod|run|test|tool|work) (.*)$/gm)];
    expect(calls.map(([, command]) => command).sort()).toEqual(['build', 'list', 'list', 'test']);
    for (const [, , args] of calls) expect(args).toMatch(/^-mod=readonly /);
  });
});

describe.each(programs)('$folder', ({ folder, module, version }) => {
  it('requires the version in versions.json and has its checksums', async () => {
    const [goMod, goSum] = [await read(`${folder}/go.mod`), await read(`${folder}/go.sum`)];
    const required = goMod.split('\n').map((line) => line.trim().split(/\s+/));
    expect(required.filter(([path, second]) => path === module && second !== '=>')).toEqual([
      expect.arrayContaining([module, version]),
    ]);
    const sums = goSum.split('\n').map((line) => line.split(' ').slice(0, 2).join(' '));
    expect(sums).toContain(`${module} ${version}`);
    expect(sums).toContain(`${module} ${version}/go.mod`);
    for (const line of goSum.trimEnd().split('\n')) expect(line).toMatch(/^\S+ v\S+ h1:[\w+/]{43}=$/);
  });

  it('replaces no module by a folder, which would have no checksum', async () => {
    const replacements = [...(await read(`${folder}/go.mod`)).matchAll(/=> (.*)$/gm)];
    for (const [, replacement] of replacements) expect(replacement).toMatch(/^[\w.-]+\.\w+\/\S+ v\S+$/);
  });
});

it('builds all parts of Kubernetes in the same version', async () => {
  const goMod = await read('modules/kubernetes/go.mod');
  const staged = [...goMod.matchAll(/k8s\.io\/\S+ => k8s\.io\/\S+ (\S+)$/gm)];
  expect(staged.length).toBeGreaterThan(20);
  expect(new Set(staged.map(([, version]) => version))).toEqual(
    new Set([versions.kubernetes.replace(/^v1\./, 'v0.')]),
  );
});

describe('go-build', () => {
  let machine: FakeMachine;

  beforeEach(async () => {
    machine = await fakeMachine(['sh', 'bash', 'cat', 'grep', 'mktemp', 'rm']);
    await machine.file('etcd/.keep', '');
    await copyFile(goBuild, `${machine.bin}/go-build`);
  });

  afterEach(async () => machine.dispose());

  const run = async (go: string, ...packages: string[]) => {
    await machine.program('go', go);
    return machine.run.run('bash', [`${machine.bin}/go-build`, 'example.org/etcd@v3.6.8', ...packages], {
      cwd: `${machine.folder}/etcd`,
      env: { TMPDIR: machine.folder },
      reject: false,
    });
  };

  it('builds with the modules in go.sum', async () => {
    expect(await run('echo v3.6.8', 'tool')).toMatchObject({ exitCode: 0 });
    expect((await machine.calls()).at(-1)).toMatch(/^go build -mod=readonly .* -o \/out\/ tool$/);
  });

  it('prints the folder of the module', async () => {
    const go =
      'case "$*" in *Dir*) echo /go/pkg/mod/etcd; echo "go: downloading" >&2 ;; *) echo v3.6.8 ;; esac';
    expect(await run(go)).toMatchObject({ exitCode: 0, stdout: '/go/pkg/mod/etcd\n' });
  });

  it.each([
    ['verifying example.org/yaml@v1.4.0: checksum mismatch', /^go-build: etcd: go\.sum lacks the checksum/],
    [
      'missing go.sum entry for module providing package x',
      /^go-build: etcd: .* run .*\/update-modules etcd\./,
    ],
    ['dial tcp: no route to host', /^go-build: etcd: example\.org\/etcd@v3\.6\.8 could not be built$/],
  ])('names the program after "%s"', async (message, reason) => {
    const failure = await run(
      `test "$1" = list && echo v3.6.8 && exit; echo "${message}" >&2; exit 1`,
      'tool',
    );
    expect(failure.exitCode).toBe(1);
    expect(failure.stderr).toContain(message);
    expect(failure.stderr.trim().split('\n').at(-1)).toMatch(reason);
  });

  it('refuses a go.mod with another version than versions.json', async () => {
    const failure = await run('echo v3.6.7', 'tool');
    expect(failure.exitCode).toBe(1);
    expect(failure.stderr).toContain('versions.json has example.org/etcd v3.6.8, but go.mod has v3.6.7');
    expect(await machine.calls()).toHaveLength(1);
  });
});

describe('update-modules', () => {
  it('knows every program', async () => {
    const script = await read('update-modules');
    for (const { folder, module } of programs) {
      const name = folder.replace('modules/', '');
      expect(script).toMatch(new RegExp(`^programs=\\(.*\\b${name}\\b.*\\)$`, 'm'));
      expect(script).toContain(folder === name ? `begin "${module}@` : `published ${name} "${module}@`);
    }
  });

  it.each([
    ['GOSUMDB', 'off'],
    ['GONOSUMDB', 'example.org'],
  ])('writes no checksum that nothing checks: %s=%s', async (variable, value) => {
    const machine = await fakeMachine(['sh', 'bash', 'dirname', 'mkdir', 'rm']);
    try {
      // A copy, because the script writes into its own folder.
      await copyFile(new URL('update-modules', import.meta.url), `${machine.folder}/update-modules`);
      await machine.program('go', `test "$*" != "env ${variable}" || echo ${value}`);
      const refusal = await machine.run.run('bash', [`${machine.folder}/update-modules`, 'etcd'], {
        reject: false,
      });
      expect(refusal.exitCode).toBe(1);
      expect(refusal.stderr).toMatch(/^update-modules: \w+ .*is (off|set)/);
      expect((await machine.calls()).join()).not.toContain('mod');
    } finally {
      await machine.dispose();
    }
  });
});
