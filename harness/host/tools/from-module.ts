/** Builds a tool from its Go module, which works wherever a Go module proxy is reachable. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { CommandError, type CommandOptions } from '../../core/command.ts';
import { seconds } from '../../core/deadline.ts';
import { intoCache, type CachePin } from './cache.ts';
import { findProgram } from './find-program.ts';
import type { ToolDeps } from './deps.ts';
import type { ToolPin } from './versions.ts';

/** What a build needs to know about a program; tests build other programs than the tools. */
export type ModulePin = CachePin & Pick<ToolPin, 'module'>;

/**
 * Go accepts exactly the modules whose checksums are in `modules/<tool>/go.sum`. So nothing of these may come from the environment, which
 * could add modules, or leave out a checksum. Where the modules come from (GOPROXY, proxies, certificates) is this machine's setting.
 */
const CHECKSUMS_OF_THIS_REPOSITORY = {
  GOFLAGS: '-mod=readonly -buildvcs=false',
  // Ignores any go.work file of a parent folder.
  GOWORK: 'off',
  GOSUMDB: '',
  GONOSUMDB: '',
  GONOSUMCHECK: '',
  GOPRIVATE: '',
  GOINSECURE: '',
};

/**
 * Builds the pinned version from the module in `modules/<tool>` and moves it into the cache.
 *
 * Go locks its module and build caches, so concurrent builds are safe.
 *
 * @returns path of the program
 * @throws Error when Go is missing or a step fails, for example because a module has another checksum
 */
export async function buildFromModule(pin: ModulePin, deps: ToolDeps): Promise<string> {
  if ((await findProgram('go', deps.env['PATH'])) === undefined) throw new Error('Go is not installed');
  const module = fileURLToPath(new URL(`modules/${pin.name}`, import.meta.url));
  const { toolchain } = pin.module;
  const goMod = await readFile(join(module, 'go.mod'), 'utf8');
  return intoCache(pin, deps, async (file) => {
    const go = (args: readonly string[], timeoutMs: number) => {
      const options: CommandOptions = {
        cwd: module,
        env: {
          ...deps.env,
          ...CHECKSUMS_OF_THIS_REPOSITORY,
          CGO_ENABLED: '0',
          GOOS: '',
          GOARCH: '',
          ...(toolchain !== undefined && { GOTOOLCHAIN: toolchain }),
        },
        timeoutMs,
        signal: deps.signal,
      };
      return deps.run.run('go', args, options);
    };
    deps.onProgress?.(
      `building ${pin.name} ${pin.version} from its Go module (about ${pin.module.buildSeconds} s, once)`,
    );
    // Fails soon when no module proxy answers.
    await go(['mod', 'download', pin.module.path], 120_000).catch(withReason);
    const variables = pin.module.variables((name) => requiredVersion(goMod, name));
    const ldflags = ['-s', '-w', ...Object.entries(variables).flatMap(([k, v]) => ['-X', `${k}=${v}`])];
    const build = ['build', '-trimpath', '-ldflags', ldflags.join(' '), '-o', file, pin.module.package];
    const built = await go(build, 900_000).catch(withReason);
    deps.onProgress?.(`built ${pin.name} ${pin.version} in ${seconds(built.durationMs)}`);
  });
}

/** The version of a module in a go.mod. Since Go 1.17, go.mod lists every module of the build. */
function requiredVersion(goMod: string, path: string): string {
  const words = goMod.split('\n').map((line) => line.trim().split(/\s+/));
  const [, version] = words.find(([first]) => first === path) ?? [];
  if (version === undefined) throw new Error(`go.mod does not require ${path}`);
  return version;
}

/** Go prints its downloads to stderr; the last other lines are the reason for a failure. */
function withReason(error: unknown): never {
  if (error instanceof CommandError && error.result.exitCode > 0) {
    const lines = error.result.stderr.trim().split('\n');
    const reason = lines.filter((line) => !line.startsWith('go: downloading')).slice(-5);
    throw new Error(`\`${error.result.command.slice(0, 60)}…\` failed: ${reason.join(' | ')}`, {
      cause: error,
    });
  }
  throw error;
}
