import { CommandError, type CommandRunner } from '../../core/command.ts';
import type { Version } from './version.ts';
import { versionIn } from './version.ts';
import type { ToolPin } from './versions.ts';

/** What a program says about its own version; undefined when it cannot be run or says nothing of the kind. */
export async function reportedVersion(
  pin: ToolPin,
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
    // A program of another architecture cannot be started: that is an answer here, not a failure.
    if (error instanceof CommandError) return undefined;
    throw error;
  }
}
