/** A container registry for tests: distribution, with a folder of its own. */
import { createServer, type AddressInfo } from 'node:net';
import { join } from 'node:path';
import { writeFile } from 'node:fs/promises';
import { findProgram } from '../../harness/host/tools/find-program.ts';
import type { ToolDeps } from '../../harness/host/tools/deps.ts';
import { cachedTool } from '../../harness/host/tools/cache.ts';
import { buildFromModule, type ModulePin } from '../../harness/host/tools/from-module.ts';
import { startDaemon, type Daemon } from './daemon.ts';

const REGISTRY: ModulePin = {
  name: 'registry',
  version: '3.1.2',
  versionArgs: ['--version'],
  module: {
    path: 'github.com/distribution/distribution/v3',
    package: 'github.com/distribution/distribution/v3/cmd/registry',
    go: '1.26.0',
    buildSeconds: 130,
    variables: () => ({ 'github.com/distribution/distribution/v3/version.version': 'v3.1.2' }),
  },
};

/** Path of the program; builds it once. `undefined` where it is not there and Go is missing. */
export async function registryProgram(deps: ToolDeps): Promise<string | undefined> {
  const { path } = await cachedTool(REGISTRY, deps);
  if (path !== undefined) return path;
  if ((await findProgram('go', deps.env['PATH'])) === undefined) return undefined;
  return buildFromModule(REGISTRY, deps);
}

export interface Registry extends Daemon {
  /** `127.0.0.1:PORT` */
  host: string;
}

/** @param folder private and empty; gets blobs and the log */
export async function startRegistry(program: string, folder: string, signal: AbortSignal): Promise<Registry> {
  const host = `127.0.0.1:${await freePort()}`;
  const config = join(folder, 'registry.yml');
  await writeFile(
    config,
    JSON.stringify({
      version: '0.1',
      log: { level: 'warn', accesslog: { disabled: true } },
      storage: { filesystem: { rootdirectory: join(folder, 'blobs') } },
      http: { addr: host },
    }),
  );
  const daemon = await startDaemon({
    name: 'the registry',
    file: program,
    args: ['serve', config],
    env: { OTEL_TRACES_EXPORTER: 'none' },
    log: join(folder, 'registry.log'),
    signal,
    isReady: async () => {
      const { ok, status } = await fetch(`http://${host}/v2/`, { signal: AbortSignal.timeout(5000) });
      if (!ok) throw new Error(`HTTP ${status}`);
    },
  });
  return { ...daemon, host };
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject).listen(0, '127.0.0.1', resolve);
  });
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}
