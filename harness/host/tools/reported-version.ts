import { CommandError, type CommandRunner } from '../../core/command.ts';
import type { Version } from './version.ts';
import { versionIn } from './version.ts';
import type { ToolPin } from './versions.ts';

/** The version that a program reports; undefined when it cannot run or reports none. */
export async function reportedVersion(
  pin: Pick<ToolPin, 'versionArgs'>,
  path: string,
  deps: { run: CommandRunner; signal?: AbortSignal | undefined },
): Promise<Version | undefined> {
  try {
    const result = await deps.run.run(path, pin.versionArgs, {
      timeoutMs: 15_000,
      signal: deps.signal,
      reject: false,
    });
    return result.exitCode === 0 ? versionIn(result.stdout) : undefined;
  } catch (error) {
    // For example a program of another architecture.
    if (error instanceof CommandError) return undefined;
    throw error;
  }
}
