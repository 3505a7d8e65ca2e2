/**
 * Finds the programs that kindproof runs: on PATH, in the project's cache, from the official release, or built from the Go module.
 * Never silently uses another version.
 */
import { InfrastructureError, InterruptedError, messageOf } from '../../core/errors.ts';
import { cachedTool } from './cache.ts';
import type { ToolDeps } from './deps.ts';
import { findProgram } from './find-program.ts';
import { buildFromModule } from './from-module.ts';
import { downloadRelease } from './from-release.ts';
import { thisPlatform } from './platform.ts';
import { reportedVersion } from './reported-version.ts';
import type { ToolName } from './versions.ts';
import { TOOL_PINS } from './versions.ts';

export type ToolSource = 'path' | 'cache' | 'release' | 'module';

export interface ResolvedTool {
  name: ToolName;
  /** Absolute path of the program. */
  path: string;
  /** As the program reports it, without `v`. */
  version: string;
  source: ToolSource;
}

/**
 * A program of a version that is known to work, downloaded or built when the machine has none.
 *
 * A build needs Go and takes up to two minutes. Concurrent calls are safe, in this process and in others.
 *
 * @throws InfrastructureError `E_TOOL_MISSING` with what was tried and why each way failed
 */
export async function resolveTool(name: ToolName, deps: ToolDeps): Promise<ResolvedTool> {
  const pin = (deps.pins ?? TOOL_PINS)[name];
  const at = await locateTool(name, deps);
  if (at.tool) return at.tool;
  const tried = [...at.tried];
  for (const [source, obtain] of [
    ['release', downloadRelease],
    ['module', buildFromModule],
  ] as const) {
    try {
      const path = await obtain(pin, deps);
      deps.log.info('tool obtained', { name, version: pin.version, source, path });
      return { name, path, version: pin.version, source };
    } catch (error) {
      if (error instanceof InterruptedError) throw error;
      deps.log.info('tool source failed', { name, source, error: messageOf(error) });
      tried.push(`${source}: ${messageOf(error)}`);
    }
  }
  throw new InfrastructureError(
    'E_TOOL_MISSING',
    `${name} ${pin.version} is unavailable:\n${tried.map((line) => `  ${line}`).join('\n')}`,
    {
      hint: `Put ${name} (${pin.accepts.words}) on PATH, or install Go ${pin.module.go} or newer to build it.`,
      details: { name, version: pin.version, tried },
    },
  );
}

/**
 * Finds a tool without downloading or building it; `tried` says where it was missing. Reports a version on PATH that is not used.
 */
export async function locateTool(
  name: ToolName,
  deps: ToolDeps,
): Promise<{ tool?: ResolvedTool; tried: string[] }> {
  const pin = (deps.pins ?? TOOL_PINS)[name];
  const tried: string[] = [];
  const onPath = await findProgram(name, deps.env['PATH']);
  if (onPath === undefined) {
    tried.push(`PATH: ${name} is missing`);
  } else {
    const version = await reportedVersion(pin, onPath, deps);
    if (version && pin.accepts.test(version)) {
      return { tool: { name, path: onPath, version: version.text, source: 'path' }, tried };
    }
    const text = `${onPath} is ${version?.text ?? 'of unknown version'}; ${pin.accepts.words} is needed`;
    deps.log.warn('tool on PATH not used', { name, path: onPath, version: version?.text });
    deps.onProgress?.(`${text}: it is not used`);
    tried.push(`PATH: ${text}`);
  }
  const cached = await cachedTool(pin, deps);
  if (cached.path !== undefined) {
    return { tool: { name, path: cached.path, version: pin.version, source: 'cache' }, tried };
  }
  return { tried: [...tried, `cache: ${cached.why}`] };
}

/** How `resolveTool` would get a missing tool. */
export async function expectedSource(
  name: ToolName,
  deps: ToolDeps,
): Promise<{ how: string; possible: boolean }> {
  const pin = (deps.pins ?? TOOL_PINS)[name];
  const platform = thisPlatform();
  const pinned = platform !== undefined && pin.release.sha256[platform] !== undefined;
  const go = await findProgram('go', deps.env['PATH']);
  const ways = [
    ...(pinned ? ['downloaded from its official release and verified'] : []),
    ...(go ? [`built from its Go module (about ${pin.module.buildSeconds} s)`] : []),
  ];
  return { how: ways.join(', otherwise '), possible: ways.length > 0 };
}
