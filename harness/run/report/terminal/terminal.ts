/** A run as a terminal, or the log of a CI job, shows it. */
import path from 'node:path';
import type { Clock } from '../../../core/deadline.ts';
import { seconds, systemClock } from '../../../core/deadline.ts';
import type { RunEvent } from '../events.ts';
import type { CheckResult, Proof } from '../model.ts';
import type { Activity } from './activity.ts';
import { createActivities, stageOf } from './activity.ts';
import { blockedLines } from './blocked.ts';
import { failureBlock } from './failure-block.ts';
import { liveLines } from './live-lines.ts';
import type { Reporter, TextStream } from '../reporter.ts';
import { createScreen } from './screen.ts';
import { createStyle } from '../../../core/style.ts';
import { summary } from './summary.ts';
import { createTicker } from './ticker.ts';
import { plain, wrap } from '../text.ts';
import { countsLine, countsOf, isCaught, isProvable, isRed, isUncaught } from '../verdict.ts';
import { bySuite, outcomeOf, shortId } from '../wording.ts';
import { isNotApplicable } from '../status.ts';
import { warningLines } from './warnings.ts';

export interface TerminalOptions {
  stream: TextStream;
  /** `true`: lines at the bottom are redrawn in place. `false` (CI): plain lines only. */
  isTty: boolean;
  /** See `wantsColor`. */
  color: boolean;
  /** Width of the terminal; a function where it can change during the run. */
  columns: number | (() => number);
  /** Also prints what passed checks observed, and the file of a failed one. */
  verbose?: boolean;
  clock?: Clock;
  /** Paths are printed relative to it; default: the working directory. */
  cwd?: string;
}

const frameMs = 100;
/** Without a terminal: how often a phase that stays at the same stage prints a line. */
const heartbeatMs = 15_000;
/** Without a terminal: of stages that change faster than this (a tool's raw output), not every one is printed. */
const stageMs = 2000;

/**
 * Writes a run to a terminal or a log. A failure is one line during the run and a full block at the end, above the summary.
 *
 * The last line is `N passed, N failed, N skipped`, alone; proofs are counted in it (caught = passed).
 */
export function createTerminalReporter(options: TerminalOptions): Reporter {
  const clock = options.clock ?? systemClock;
  const style = createStyle(options.color);
  const screen = createScreen(options.stream, options.isTty);
  const activities = createActivities();
  const verbose = options.verbose ?? false;
  const ticker = createTicker(clock, options.isTty ? frameMs : 1000, refresh);
  let directory = '';
  let heading = '';
  const ended: { check: CheckResult; suite: string; rerun: string }[] = [];
  const uncaught: Proof[] = [];
  let end: { line: string; written: number } | undefined;

  function columns(): number {
    const given = typeof options.columns === 'function' ? options.columns() : options.columns;
    // 0 columns is what a pseudo terminal without a size reports.
    return given > 0 ? Math.max(given, 40) : 100;
  }

  function refresh(): void {
    if (options.isTty) screen.live(liveLines(activities.all(), clock.now(), { style, columns: columns() }));
    else for (const activity of activities.all()) printProgress(activity, heartbeatMs);
  }

  function beginOrEnd(change: () => void): void {
    change();
    if (activities.all().length > 0) ticker.start();
    else ticker.stop();
    refresh();
  }

  function printProgress(activity: Activity, unchangedMs: number): void {
    if (activity.kind !== 'phase') return;
    const stage = stageOf(activity.text);
    const since = clock.now() - activity.printedAt;
    const isNew = stage !== activity.printedStage;
    const due = isNew ? since >= stageMs || activity.printedStage === '' : since >= unchangedMs;
    if (!due) return;
    activity.printedAt = clock.now();
    activity.printedStage = stage;
    const elapsed = seconds(clock.now() - activity.startedAt);
    const text = plain(activity.text).split('\n').at(-1) ?? '';
    screen.print([`… ${activity.name}  ${style.dim(elapsed)}${text === '' ? '' : `  ${text}`}`]);
  }

  function printUnder(suite: string, lines: readonly string[]): void {
    // A result shows that the phase is alive: it needs no heartbeat of its own now.
    for (const activity of activities.all()) activity.printedAt = clock.now();
    if (heading !== suite) {
      heading = suite;
      screen.print(['', style.bold(suite)]);
    }
    screen.print(lines);
  }

  function checkEnded(check: CheckResult): void {
    // Blocked checks are summed up at the end.
    if (check.status === 'blocked') return;
    const { symbol, tail } = {
      passed: { symbol: style.green('✓'), tail: style.dim(seconds(check.durationMs)) },
      warning: { symbol: style.yellow('!'), tail: style.yellow('warning') },
      'not-applicable': { symbol: style.dim('–'), tail: style.dim('not applicable') },
      skipped: { symbol: style.yellow('○'), tail: style.yellow('skipped') },
      failed: { symbol: style.red('✗'), tail: style.red('failed') },
      errored: { symbol: style.red('✗'), tail: style.red('errored') },
    }[check.status];
    const id = shortId(check);
    const [title = '', ...more] = wrap(check.title, columns() - id.length - 16);
    const isExplained = check.status === 'skipped' || isNotApplicable(check);
    const reason = isExplained ? [check.reason ?? 'no reason was given'] : [];
    // A failure shows them in its block at the end.
    const notes = (isRed(check) ? [] : (check.notes ?? [])).map((text) => `note: ${text}`);
    const details = [...notes, ...(verbose && check.status === 'passed' ? check.observed : reason)];
    printUnder(check.suite, [
      `${symbol} ${style.bold(id)}  ${title}  ${tail}`,
      ...more.map((line) => `    ${line}`),
      ...details.flatMap((text) => wrap(text, columns() - 4).map((line) => `    ${style.dim(line)}`)),
    ]);
  }

  function proofHead(proof: Proof): string {
    const head = `${style.bold(plain(proof.fault))}  ${proof.requirements.join(', ')}`;
    const [symbol, paint] = isCaught(proof)
      ? [style.green('✓'), style.green]
      : isProvable(proof)
        ? [style.red('✗'), style.red]
        : [style.yellow('○'), style.yellow];
    const outcome = paint(outcomeOf(proof));
    return `${symbol} ${head}  ${outcome}  ${style.dim(seconds(proof.durationMs))}`;
  }

  function proofEnded(proof: Proof): void {
    if (isUncaught(proof)) uncaught.push(proof);
    const reason = isUncaught(proof) ? [] : wrap(proof.reason, columns() - 4);
    printUnder(`${proof.suite} under faults`, [
      proofHead(proof),
      ...reason.map((line) => `    ${style.dim(line)}`),
    ]);
  }

  /** Warnings, blocked checks, failed checks and uncaught faults, by suite. */
  function printFailures(): void {
    const suites = bySuite(ended);
    for (const [suite, own] of suites) {
      const checks = own.map(({ check }) => check);
      const blocked = blockedLines(checks, { style, columns: columns() });
      const failures = own
        .filter(({ check }) => isRed(check))
        .map(({ check, rerun }) =>
          failureBlock(check, { style, columns: columns(), directory, rerun, verbose }),
        );
      const warnings = warningLines(checks, { style, columns: columns() });
      printBlocks(suites.length > 1 ? suite : undefined, [warnings, blocked, ...failures]);
    }
    const proofs = uncaught.map((proof) => [
      proofHead(proof),
      ...wrap(proof.reason, columns() - 4).map((line) => `    ${line}`),
    ]);
    printBlocks(undefined, proofs);
  }

  function printBlocks(title: string | undefined, all: readonly (readonly string[])[]): void {
    const blocks = all.filter((block) => block.length > 0);
    if (blocks.length > 0 && title !== undefined) screen.print(['', style.bold(title)]);
    for (const block of blocks) screen.print(['', ...block]);
  }

  return {
    name: 'terminal',
    onEvent(event: RunEvent) {
      switch (event.type) {
        case 'run-started': {
          const relative = path.relative(options.cwd ?? process.cwd(), event.directory);
          directory = relative.startsWith('..') ? event.directory : relative;
          screen.print([`${style.bold('kindproof')} ${event.runId}`, '']);
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
          if (activity && !options.isTty) printProgress(activity, heartbeatMs);
          return;
        }
        case 'phase-ended':
          beginOrEnd(() => {
            activities.end(event.name);
            const symbol = event.status === 'passed' ? style.green('✓') : style.red('✗');
            const took = `  ${style.dim(seconds(event.durationMs))}`;
            screen.print([`${symbol} ${event.name}${took}`]);
          });
          return;
        case 'notice': {
          const symbol = event.level === 'warning' ? style.yellow('!') : style.cyan('·');
          const [first = '', ...more] = wrap(event.text, columns() - 4);
          const hint = event.hint === undefined ? [] : wrap(event.hint, columns() - 6);
          screen.print([
            `${symbol} ${first}`,
            ...more.map((line) => `    ${line}`),
            ...hint.map((line) => `    ${style.cyan(line)}`),
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
            ended.push(event);
            checkEnded(event.check);
          });
          return;
        case 'proof-ended':
          proofEnded(event.proof);
          return;
        case 'run-ended': {
          beginOrEnd(() => {
            for (const activity of activities.all()) activities.end(activity.key);
          });
          printFailures();
          screen.print(summary(event.report, { style, columns: columns(), directory }));
          end = { line: countsLine(countsOf(event.report)), written: screen.written() };
        }
      }
    },
    close() {
      ticker.stop();
      screen.live([]);
      // Something was printed after the end: the counts stay the last line.
      if (end && screen.written() > end.written) screen.print([end.line]);
    },
  };
}
