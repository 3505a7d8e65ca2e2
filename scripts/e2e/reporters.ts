import { wantsColor, wantsLiveLines } from '../../harness/core/style.ts';
import type { RunOptions } from '../../harness/run/plan/options.ts';
import { createGithubReporter } from '../../harness/run/report/github/github.ts';
import { inert } from '../../harness/run/report/github/inert.ts';
import type { Reporter, TextStream } from '../../harness/run/report/reporter.ts';
import { createTerminalReporter } from '../../harness/run/report/terminal/terminal.ts';

interface Output {
  env: Record<string, string | undefined>;
  stdout: TextStream & { isTTY: boolean; columns: number };
}

/** Shows a run on the terminal, and on GitHub where the run is one of its jobs. */
export function createReporters(
  options: Pick<RunOptions, 'verbose'>,
  { env, stdout }: Output = process,
): Reporter[] {
  const terminal = createTerminalReporter({
    stream: { write: (text) => stdout.write(inert(text, env)) },
    isTty: wantsLiveLines(env, stdout.isTTY),
    color: wantsColor(env, stdout.isTTY),
    columns: () => (stdout.isTTY ? stdout.columns : 120),
    verbose: options.verbose,
  });
  const github = createGithubReporter({ env, stream: stdout });
  // The terminal closes last: its counts have to be the last line.
  return github ? [github, terminal] : [terminal];
}
