/** Shared by the steps of the build. */
import type { CommandOptions, CommandResult, CommandRunner } from '../../harness/core/command.ts';
import { CommandError } from '../../harness/core/command.ts';
import { InfrastructureError } from '../../harness/core/errors.ts';

export interface BuildDeps {
  /** Must work after `signal` has aborted, to clean up. */
  run: CommandRunner;
  signal?: AbortSignal | undefined;
  env: Readonly<Record<string, string | undefined>>;
  onProgress: (text: string) => void;
}

const HOUR_MS = 3_600_000;

/**
 * Runs one command of a build stage.
 *
 * @throws InfrastructureError `E_NODE_IMAGE_BUILD` with the stage and the end of the output
 */
export async function runStage(
  deps: BuildDeps,
  stage: string,
  file: string,
  args: readonly string[],
  options: Omit<CommandOptions, 'signal'> = {},
): Promise<CommandResult> {
  try {
    return await deps.run.run(file, args, { timeoutMs: HOUR_MS, ...options, signal: deps.signal });
  } catch (error) {
    if (!(error instanceof CommandError)) throw error;
    const { stdout, stderr } = error.result;
    const lines = `${stdout}\n${stderr}`.trimEnd().split('\n');
    const failed = failedStage(lines) ?? stage;
    throw new InfrastructureError(
      'E_NODE_IMAGE_BUILD',
      `the node image could not be built: ${reasonOfGoBuild(lines) ?? `${failed} failed`}`,
      {
        cause: error,
        hint: options.hint ?? 'read the end of the build output, then run again: finished stages are cached',
        details: { stage: failed, tail: lines.slice(-25).join('\n') },
      },
    );
  }
}

/** The output of BuildKit ends with ` > [kubernetes 1/1] RUN …` and the output of the failed step. */
function failedStage(lines: readonly string[]): string | undefined {
  return lines.map((line) => /^ > \[([\w-]+) /.exec(line)?.[1]).find((stage) => stage !== undefined);
}

/** The last line of `build/go-build`, which names the program. BuildKit puts `#12 3.456 ` or `3.456 ` before it. */
function reasonOfGoBuild(lines: readonly string[]): string | undefined {
  return lines
    .map((line) => /^(?:#\d+ )?[\d.]+ go-build: (.+)$/.exec(line)?.[1])
    .findLast((reason) => reason !== undefined);
}
