import type { RunOptions } from '../../harness/run/plan/options.ts';
import type { RunObserver } from '../../harness/run/report/events.ts';
import { createGithubObserver } from '../../harness/run/report/github.ts';
import { createTerminalObserver, wantsColor } from '../../harness/run/report/terminal.ts';

/** Who is told what happens: the terminal, and GitHub where the run is one of its jobs. */
export function createObservers(options: Pick<RunOptions, 'verbose'>): RunObserver[] {
  const stream = process.stdout;
  const isTty = stream.isTTY && process.env['CI'] === undefined;
  const terminal = createTerminalObserver({
    stream,
    isTty,
    color: wantsColor(process.env, stream.isTTY),
    columns: () => (stream.isTTY ? stream.columns : 120),
    verbose: options.verbose,
  });
  const github = createGithubObserver({ env: process.env, stream });
  // The terminal closes last: the count of passed, failed and skipped has to be the last line.
  return github ? [github, terminal] : [terminal];
}
