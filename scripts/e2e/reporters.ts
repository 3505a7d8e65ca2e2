import { wantsColor } from '../../harness/core/style.ts';
import type { RunOptions } from '../../harness/run/plan/options.ts';
import { createGithubReporter } from '../../harness/run/report/github/github.ts';
import type { Reporter } from '../../harness/run/report/reporter.ts';
import { createTerminalReporter } from '../../harness/run/report/terminal/terminal.ts';

/** Shows a run on the terminal, and on GitHub where the run is one of its jobs. */
export function createReporters(options: Pick<RunOptions, 'verbose'>): Reporter[] {
  const stream = process.stdout;
  const terminal = createTerminalReporter({
    stream,
    isTty: stream.isTTY && process.env['CI'] === undefined,
    color: wantsColor(process.env, stream.isTTY),
    columns: () => (stream.isTTY ? stream.columns : 120),
    verbose: options.verbose,
  });
  const github = createGithubReporter({ env: process.env, stream });
  // The terminal closes last: its counts have to be the last line.
  return github ? [github, terminal] : [terminal];
}
