/** What a person at a terminal, or a CI job's log, sees of a run while it goes on. */
import path from 'node:path';
import type { Clock } from '../../core/deadline.ts';
import { seconds, systemClock } from '../../core/deadline.ts';
import type { RunEvent, RunObserver } from './events.ts';
import type { CheckResult, Proof } from './model.ts';
import type { Activity } from './terminal/activity.ts';
import { createActivities, stageOf } from './terminal/activity.ts';
import { failureBlock } from './terminal/failure-block.ts';
import { liveLines } from './terminal/live-lines.ts';
import type { TextStream } from './terminal/screen.ts';
import { createScreen } from './terminal/screen.ts';
import { createStyle } from './terminal/style.ts';
import { summary } from './terminal/summary.ts';
import { createTicker } from './terminal/ticker.ts';
import { plain, wrap } from './text.ts';
import { isRed, countsLine, countsOf, outcomeOf, shortId } from './verdict.ts';

export { wantsColor } from './terminal/style.ts';
export type { TextStream } from './terminal/screen.ts';

export interface TerminalOptions {
  stream: TextStream;
  /** `true`: lines at the bottom are redrawn in place. `false` (CI): plain lines only. */
  isTty: boolean;
  /** See `wantsColor`. */
  color: boolean;
  /** Width of the terminal; a function where it can change while the run goes on. */
  columns: number | (() => number);
  /** Show what passing checks observed, and the check's file with a failure. */
  verbose?: boolean;
  clock?: Clock;
  /** Paths are shown relative to it; default: the working directory. */
  cwd?: string;
}

const frameMs = 100;
/** Without a terminal: how often a phase that is still at the same stage says so. */
const heartbeatMs = 15_000;
/** Without a terminal: a phase whose stages change faster than this (a tool's raw output) is not followed line by line. */
const stageMs = 2000;
/** So many lines after the first failure, it is worth repeating at the end. */
const scrolledAway = 10;

/**
 * An observer that writes a run to a terminal or a log.
 *
 * The last line that it writes is `N passed, N failed, N skipped`, alone; proofs are counted in it (caught = passed).
 */
export function createTerminalObserver(options: TerminalOptions): RunObserver {
  const clock = options.clock ?? systemClock;
  const style = createStyle(options.color);
  const screen = createScreen(options.stream, options.isTty);
  const activities = createActivities();
  const verbose = options.verbose ?? false;
  const ticker = createTicker(clock, options.isTty ? frameMs : 1000, refresh);
  let directory = '';
  let heading = '';
  let linesAtFirstFailure: number | undefined;
  let end: { line: string; written: number } | undefined;

  function columns(): number {
    const given = typeof options.columns === 'function' ? options.columns() : options.columns;
    // 0 columns is what a pseudo terminal without a size reports.
    return given > 0 ? Math.max(given, 40) : 100;
  }

  function refresh(): void {
    if (options.isTty) screen.live(liveLines(activities.all(), clock.now(), { style, columns: columns() }));
    else for (const activity of activities.all()) sayProgress(activity, heartbeatMs);
  }

  function beginOrEnd(change: () => void): void {
    change();
    if (activities.all().length > 0) ticker.start();
    else ticker.stop();
    refresh();
  }

  function sayProgress(activity: Activity, unchangedMs: number): void {
    if (activity.kind !== 'phase') return;
    const stage = stageOf(activity.text);
    const since = clock.now() - activity.saidAt;
    const isNew = stage !== activity.saidStage;
    const due = isNew ? since >= stageMs || activity.saidStage === '' : since >= unchangedMs;
    if (!due) return;
    activity.saidAt = clock.now();
    activity.saidStage = stage;
    const elapsed = seconds(clock.now() - activity.startedAt);
    const text = plain(activity.text).split('\n').at(-1) ?? '';
    screen.print([`… ${activity.name}  ${style.dim(elapsed)}${text === '' ? '' : `  ${text}`}`]);
  }

  /** A symbol, a text that may have several lines, and what stands behind its first line. */
  function entry(symbol: string, text: string, tail = ''): string[] {
    const [first = '', ...more] = wrap(text, columns() - 4);
    return [`${symbol} ${first}${tail}`, ...more.map((line) => `    ${line}`)];
  }

  function printUnder(suite: string, lines: readonly string[]): void {
    // Results are a sign of life as well: the phase itself need not say that it goes on.
    for (const activity of activities.all()) activity.saidAt = clock.now();
    if (heading !== suite) {
      heading = suite;
      screen.print(['', style.bold(suite)]);
    }
    screen.print(lines);
  }

  function printFailure(suite: string, lines: readonly string[]): void {
    printUnder(suite, lines);
    linesAtFirstFailure ??= screen.written();
  }

  function checkEnded(check: CheckResult, suite: string, rerun: string): void {
    const id = shortId(check);
    if (isRed(check)) {
      printFailure(suite, failureBlock(check, { style, columns: columns(), directory, rerun, verbose }));
      return;
    }
    const details = (texts: readonly string[]) =>
      texts.flatMap((text) => wrap(text, columns() - 4).map((line) => `    ${style.dim(line)}`));
    const skipped = check.status === 'skipped';
    const symbol = skipped ? style.yellow('○') : style.green('✓');
    const tail = skipped ? style.yellow('skipped') : style.dim(seconds(check.durationMs));
    const [title = '', ...more] = wrap(check.title, columns() - id.length - 16);
    const seen = verbose ? check.observed : [];
    printUnder(suite, [
      `${symbol} ${style.bold(id)}  ${title}  ${tail}`,
      ...more.map((line) => `    ${line}`),
      ...details(skipped ? [check.reason ?? 'no reason was given'] : seen),
    ]);
  }

  function proofEnded(proof: Proof): void {
    const caught = proof.outcome === 'caught';
    const head = `${style.bold(plain(proof.fault))}  ${proof.requirements.join(', ')}`;
    const outcome = caught ? style.green('caught') : style.red(outcomeOf(proof));
    const lines = [
      `${caught ? style.green('✓') : style.red('✗')} ${head}  ${outcome}  ${style.dim(seconds(proof.durationMs))}`,
      ...wrap(proof.reason, columns() - 4).map((line) => `    ${caught ? style.dim(line) : line}`),
    ];
    if (caught) printUnder(`${proof.suite} under faults`, lines);
    else printFailure(`${proof.suite} under faults`, lines);
  }

  return {
    onEvent(event: RunEvent) {
      switch (event.type) {
        case 'run-started': {
          const relative = path.relative(options.cwd ?? process.cwd(), event.directory);
          directory = relative.startsWith('..') ? event.directory : relative;
          screen.print([
            `${style.bold('kindproof')} ${event.runId}`,
            ...event.plan.flatMap((line) => wrap(line, columns() - 2).map((part) => `  ${style.dim(part)}`)),
            '',
          ]);
          return;
        }
        case 'phase-started':
          beginOrEnd(() => {
            const activity = activities.begin('phase', event.name, event.name, clock.now());
            if (!options.isTty) screen.print([`… ${activity.name}`]);
          });
          return;
        case 'phase-progress': {
          const activity = activities.progress(event.name, event.text);
          if (activity && !options.isTty) sayProgress(activity, heartbeatMs);
          return;
        }
        case 'phase-ended':
          beginOrEnd(() => {
            activities.end(event.name);
            const symbol = event.status === 'passed' ? style.green('✓') : style.red('✗');
            const took = `  ${style.dim(seconds(event.durationMs))}`;
            const text = event.text ?? '';
            const short =
              text !== '' && !text.includes('\n') && event.name.length + text.length + 18 <= columns();
            screen.print(
              short
                ? [`${symbol} ${event.name}${took}  ${style.dim(plain(text))}`]
                : [
                    `${symbol} ${event.name}${took}`,
                    ...(text === '' ? [] : wrap(text, columns() - 4).map((line) => `    ${line}`)),
                  ],
            );
          });
          return;
        case 'notice': {
          const symbol = event.level === 'warning' ? style.yellow('!') : style.cyan('·');
          screen.print([
            ...entry(symbol, event.text),
            ...(event.hint === undefined
              ? []
              : wrap(event.hint, columns() - 6).map((line) => `    ${style.cyan(line)}`)),
          ]);
          return;
        }
        case 'check-started': {
          const name = `${shortId(event)}  ${event.title}`;
          beginOrEnd(() => activities.begin('check', `check ${event.id}`, name, clock.now()));
          return;
        }
        case 'check-ended':
          beginOrEnd(() => {
            activities.end(`check ${event.check.id}`);
            checkEnded(event.check, event.suite, event.rerun);
          });
          return;
        case 'proof-ended':
          proofEnded(event.proof);
          return;
        case 'run-ended': {
          beginOrEnd(() => {
            for (const activity of activities.all()) activities.end(activity.key);
          });
          const repeatFailures =
            linesAtFirstFailure !== undefined && screen.written() - linesAtFirstFailure > scrolledAway;
          screen.print(summary(event.report, { style, columns: columns(), directory, repeatFailures }));
          end = { line: countsLine(countsOf(event.report)), written: screen.written() };
        }
      }
    },
    close() {
      ticker.stop();
      screen.live([]);
      // Something was said after the end: the counts stay the last line.
      if (end && screen.written() > end.written) screen.print([end.line]);
    },
  };
}
