/** Builds a tool from its Go module, which works wherever a Go module proxy is reachable. */
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { CommandError, type CommandOptions } from '../../core/command.ts';
import { seconds } from '../../core/deadline.ts';
import { intoCache } from './cache.ts';
import { findProgram } from './find-program.ts';
import type { ToolDeps } from './deps.ts';
import type { ToolPin } from './versions.ts';

/**
 * Builds the pinned version in a separate module and moves it into the cache.
 *
 * Go verifies the module with its checksum database, as configured on this machine (GOSUMDB, GOPROXY). Go locks its module and build
 * caches, so concurrent builds are safe.
 *
 * @returns path of the program
 * @throws Error when Go is missing or a step fails
 */
export async function buildFromModule(pin: ToolPin, deps: ToolDeps): Promise<string> {
  if ((await findProgram('go', deps.env['PATH'])) === undefined) throw new Error('Go is not installed');
  return intoCache(pin, deps, async (file, folder) => {
    const module = join(folder, 'module');
    await mkdir(module);
    await writeFile(join(module, 'go.mod'), goMod(pin));
    const go = (args: readonly string[], timeoutMs: number) => {
      const options: CommandOptions = {
        cwd: module,
        // Ignores any go.work file or vendor folder of a parent folder.
        env: { ...deps.env, CGO_ENABLED: '0', GOFLAGS: '-mod=mod', GOWORK: 'off', GOOS: '', GOARCH: '' },
        timeoutMs,
        signal: deps.signal,
      };
      return deps.run.run('go', args, options);
    };
    deps.onProgress?.(
      `building ${pin.name} ${pin.version} from its Go module (about ${pin.module.buildSeconds} s, once)`,
    );
    await go(['mod', 'download', pin.module.path], 120_000).catch(withReason);
    const resolved = new Map<string, string>();
    for (const dependency of pin.module.dependencies) {
      const { stdout } = await go(['list', '-m', '-f', '{{.Version}}', dependency], 120_000).catch(
        withReason,
      );
      resolved.set(dependency, stdout.trim());
    }
    const variables = pin.module.variables((name) => resolved.get(name) ?? '');
    const ldflags = ['-s', '-w', ...Object.entries(variables).flatMap(([k, v]) => ['-X', `${k}=${v}`])];
    const build = ['build', '-trimpath', '-ldflags', ldflags.join(' '), '-o', file, pin.module.package];
    const built = await go(build, 900_000).catch(withReason);
    deps.onProgress?.(`built ${pin.name} ${pin.version} in ${seconds(built.durationMs)}`);
  });
}

function goMod(pin: ToolPin): string {
  return [
    `module kindproof.local/tools/${pin.name}`,
    '',
    `go ${pin.module.go}`,
    '',
    `require ${pin.module.path} v${pin.version}`,
    '',
  ].join('\n');
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
