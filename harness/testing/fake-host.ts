/** For unit tests: a fake machine with a fake engine that preflight can inspect and fix. */
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { systemClock } from '../core/deadline.ts';
import { silentLog } from '../core/log.ts';
import type { FakeMachine } from './fake-programs.ts';
import { fakeMachine } from './fake-programs.ts';
import type { Finding, PreflightDeps, PreflightNeed } from '../host/preflight/finding.ts';
import type { Machine } from '../host/preflight/machine.ts';
import { localMachine } from '../host/preflight/machine.ts';
import { runPreflight } from '../host/preflight/preflight.ts';

export const GIB = 1024 ** 3;

/** Answers like docker; the engine is "running" while the file `up` exists. */
const DOCKER = `
case "$1 $2" in
  'info --format')
    if [ -e "$STATE/up" ]; then cat "$STATE/info.json"; exit 0; fi
    echo '{"ServerErrors":["Cannot connect to the Docker daemon. Is the docker daemon running?"]}'; exit 1 ;;
  'version --format')
    if [ -e "$STATE/up" ]; then cat "$STATE/version.json"; exit 0; fi
    echo '{"Client":{"Version":"28.2.2"},"Server":null}'; exit 1 ;;
  'buildx version') [ -e "$STATE/no-buildx" ] && exit 1; echo 'github.com/docker/buildx 0.13.1+ds1 0.13.1' ;;
esac`;

/** Behaves like an engine: answers once it has started, and keeps running for a while. */
const DAEMON = `echo 'API listen on /var/run/docker.sock'; touch "$STATE/up"; exec sleep 2`;

/** Behaves like apt-get: `download` creates files, `install` copies the programs of the folder `packed`. */
const APT = `
case "$*" in
  *download*) touch docker.io_26_amd64.deb docker-cli_26_amd64.deb ;;
  *install*)
    rm -f "$STATE/no-buildx"
    [ -d "$STATE/packed" ] && cp "$STATE"/packed/* "$STATE/bin"
    chmod +x "$STATE"/bin/* ;;
esac`;

export const INFO = {
  ServerVersion: '26.1.5+dfsg1',
  DockerRootDir: '/var/lib/docker',
  CgroupVersion: '1',
  CgroupDriver: 'cgroupfs',
  SecurityOptions: ['name=seccomp,profile=builtin'],
};

const NEED: PreflightNeed = {
  cluster: 'kind',
  nodes: 4,
  buildNodeImage: false,
  buildImages: true,
  tools: [],
};

export interface FakeHost {
  fake: FakeMachine;
  /** Passed to preflight; tests may change it. */
  deps: PreflightDeps;
  progress: string[];
  /** Changes facts of the machine. */
  change(facts: Partial<Machine>): void;
  inotify(instances: number, watches: number): Promise<void>;
  /** A client and an engine with these answers; `up()` starts the engine. */
  engine(info?: object, server?: object): Promise<void>;
  up(): Promise<void>;
  daemon(script?: string): Promise<void>;
  apt(): Promise<void>;
  /** Client and engine are missing until apt installs them. */
  packed(): Promise<void>;
  look(options?: { fix?: boolean; interactive?: boolean; need?: Partial<PreflightNeed> }): Promise<Finding[]>;
}

/** Debian 12, root, sufficient resources and the programs of `fakeMachine`, but no docker. */
export async function fakeHost(): Promise<FakeHost> {
  const fake = await fakeMachine(['sh', 'cat', 'touch', 'rm', 'sleep', 'setsid', 'tar', 'cp', 'chmod']);
  const { folder } = fake;
  await fake.file('etc/os-release', 'ID=debian\nVERSION_ID="12"\nVERSION_CODENAME=bookworm\n');
  await fake.file('etc/apt/sources.list', 'deb http://broken.test/tools tools main\n');
  await fake.file(
    'etc/apt/sources.list.d/debian.sources',
    'Types: deb\nURIs: http://mirror.test/debian\nSuites: bookworm\nComponents: main\n',
  );
  for (const name of ['var/log', 'var/run']) await mkdir(join(folder, name), { recursive: true });
  const progress: string[] = [];
  const local = localMachine({ rootDir: folder, asRoot: true });
  const processes = localMachine();
  const machine: Machine = {
    ...local,
    platform: 'linux',
    cpus: 2,
    memory: () => Promise.resolve({ available: 20 * GIB, total: 24 * GIB }),
    freeBytes: () => Promise.resolve(60 * GIB),
    processName: (pid) => processes.processName(pid),
  };
  const host: FakeHost = {
    fake,
    progress,
    deps: {
      run: fake.run,
      log: silentLog,
      clock: { now: () => systemClock.now(), sleep: (_, signal) => systemClock.sleep(5, signal) },
      machine,
      env: fake.env,
      projectDir: folder,
      cacheDir: join(folder, 'cache'),
      onProgress: (text) => progress.push(text),
    },
    change: (facts) => {
      host.deps.machine = { ...host.deps.machine, ...facts };
    },
    inotify: async (instances, watches) => {
      await fake.file('proc/sys/fs/inotify/max_user_instances', `${instances}\n`);
      await fake.file('proc/sys/fs/inotify/max_user_watches', `${watches}\n`);
    },
    engine: async (info = INFO, server = { ApiVersion: '1.45' }) => {
      await fake.program('docker', DOCKER);
      await fake.file('info.json', JSON.stringify(info));
      await fake.file('version.json', JSON.stringify({ Client: { Version: '28.2.2' }, Server: server }));
    },
    up: async () => {
      await fake.file('up', '');
    },
    daemon: async (script = DAEMON) => {
      await fake.program('dockerd', script);
    },
    apt: async () => {
      await fake.program('apt-get', APT);
    },
    packed: async () => {
      await host.engine();
      await host.daemon();
      const move = 'mkdir "$0/packed" && mv "$0/bin/docker" "$0/bin/dockerd" "$0/packed"';
      await fake.run.run('sh', ['-c', move, folder], { env: { PATH: '/usr/bin:/bin' } });
      await host.apt();
    },
    look: (options = {}) =>
      runPreflight(host.deps, {
        fix: options.fix ?? false,
        interactive: options.interactive ?? false,
        need: { ...NEED, ...options.need },
      }),
  };
  await host.inotify(1024, 524_288);
  return host;
}

/** The finding with that id; throws when it is missing. */
export function only(findings: readonly Finding[], id: string): Finding {
  const found = findings.find((finding) => finding.id === id);
  if (!found) throw new Error(`no finding ${id} among ${findings.map((finding) => finding.id).join(', ')}`);
  return found;
}
