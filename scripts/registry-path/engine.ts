/** A container engine of its own on a private socket. The user's engine is neither used nor changed. */
import { access, mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { CommandRunner } from '../../harness/core/command.ts';
import { findProgram } from '../../harness/host/tools/find-program.ts';
import { startDaemon, type Daemon } from './daemon.ts';

export interface Engine extends Daemon {
  /** Runs programs of this machine against this engine. */
  run: CommandRunner;
}

const PROGRAMS = ['dockerd', 'containerd', 'docker', 'setpriv', 'unshare', 'openssl'];

/** Why this machine cannot start an engine; undefined when it can. */
export async function whyNoEngine(env: Record<string, string | undefined>): Promise<string | undefined> {
  if (process.platform !== 'linux') return 'only Linux can run a second container engine';
  if (process.getuid?.() !== 0) return 'only root can start a container engine';
  for (const name of PROGRAMS) {
    if ((await findProgram(name, env['PATH'])) === undefined) return `${name} is not installed`;
  }
  return undefined;
}

/**
 * Starts dockerd with a containerd of its own: it would share the one of the machine with the user's engine.
 *
 * @param folder private and empty; has everything that the engine writes
 * @param proxy answers for all registries of the internet
 */
export async function startEngine(
  folder: string,
  proxy: { host: string; certificate: string },
  command: CommandRunner,
  signal: AbortSignal,
): Promise<Engine> {
  const path = (...parts: string[]): string => join(folder, ...parts);
  await mkdir(path('client'), { recursive: true });
  const containerdSocket = path('containerd.sock');
  await writeFile(
    path('containerd.toml'),
    [
      'version = 2',
      `root = "${path('containerd')}"`,
      `state = "${path('containerd-state')}"`,
      'disabled_plugins = ["io.containerd.grpc.v1.cri"]',
      `[grpc]\n  address = "${containerdSocket}"`,
      '',
    ].join('\n'),
  );
  // Instead of the machine's file, whose settings could contradict the flags.
  await writeFile(path('daemon.json'), '{}');
  const containerd = await startDaemon({
    name: 'containerd',
    file: 'containerd',
    args: ['--config', path('containerd.toml')],
    log: path('containerd.log'),
    signal,
    isReady: () => access(containerdSocket),
  });
  const socket = `unix://${path('docker.sock')}`;
  const env = {
    DOCKER_HOST: socket,
    DOCKER_CONFIG: path('client'),
    DOCKER_CONTEXT: undefined,
    DOCKER_TLS_VERIFY: undefined,
  };
  const run: CommandRunner = {
    run: (file, args, options) => command.run(file, args, { ...options, env: { ...options?.env, ...env } }),
  };
  try {
    const dockerd = await startDaemon({
      name: 'dockerd',
      file: 'dockerd',
      args: [
        ...['--config-file', path('daemon.json'), '--host', socket, '--containerd', containerdSocket],
        ...['--data-root', path('data'), '--exec-root', path('exec'), '--pidfile', path('dockerd.pid')],
        ...['--bridge=none', '--iptables=false', '--ip6tables=false', '--ip-forward=false'],
        // Its own repetitions of a cut download, 5 s, 10 s, … apart.
        '--max-download-attempts=2',
      ],
      env: {
        HTTPS_PROXY: `http://${proxy.host}`,
        HTTP_PROXY: '',
        NO_PROXY: '127.0.0.1,localhost,.invalid',
        SSL_CERT_FILE: proxy.certificate,
      },
      log: path('dockerd.log'),
      signal,
      isReady: () => run.run('docker', ['version'], { timeoutMs: 10_000 }),
    });
    return {
      run,
      stop: async () => {
        await dockerd.stop();
        await containerd.stop();
      },
    };
  } catch (error) {
    await containerd.stop();
    throw error;
  }
}
