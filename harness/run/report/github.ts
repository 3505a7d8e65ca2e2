/** Annotations, log groups and the step summary of GitHub Actions. */
import { appendFileSync } from 'node:fs';
import type { RunEvent, RunObserver } from './events.ts';
import { githubSummary } from './github-summary.ts';
import type { CheckResult } from './model.ts';
import type { TextStream } from './terminal/screen.ts';
import { plain } from './text.ts';
import { isRed, outcomeOf, shortId, summaryOfCheck } from './verdict.ts';
import { failureBody } from './failure-text.ts';

export interface GithubOptions {
  env: Record<string, string | undefined>;
  stream: TextStream;
}

/**
 * An observer for GitHub Actions; `undefined` anywhere else.
 *
 * Give it to the run **before** the terminal's observer: the terminal's last line has to stay the last.
 * Workflow commands: docs.github.com, "Workflow commands for GitHub Actions".
 */
export function createGithubObserver({ env, stream }: GithubOptions): RunObserver | undefined {
  if (env.GITHUB_ACTIONS !== 'true') return undefined;
  const open = new Set<string>();
  let grouped = false;

  function command(name: string, properties: Record<string, string | undefined>, message: string): void {
    const list = Object.entries(properties)
      .filter(([, value]) => value !== undefined)
      .map(([key, value]) => `${key}=${escapeProperty(value ?? '')}`)
      .join(',');
    stream.write(`::${name}${list === '' ? '' : ` ${list}`}::${escapeData(message)}\n`);
  }

  function endGroup(): void {
    if (grouped) command('endgroup', {}, '');
    grouped = false;
  }

  /** Groups do not nest: phases that go on at the same time share one. */
  function phaseStarted(name: string): void {
    open.add(name);
    endGroup();
    command('group', {}, [...open].join(' + '));
    grouped = true;
  }

  function phaseEnded(name: string, failed: boolean): void {
    open.delete(name);
    // What failed has to be seen without unfolding anything.
    if (open.size === 0 || failed) endGroup();
  }

  return {
    onEvent(event: RunEvent) {
      switch (event.type) {
        case 'phase-started':
          phaseStarted(event.name);
          return;
        case 'phase-ended':
          phaseEnded(event.name, event.status === 'failed');
          return;
        case 'check-started':
          // Checks are never folded away, also when running them is itself a phase.
          endGroup();
          return;
        case 'check-ended':
          endGroup();
          if (isRed(event.check)) annotate(event.check, event.rerun);
          return;
        case 'proof-ended':
          if (event.proof.outcome !== 'caught') {
            const title = `${event.proof.suite}: fault ${event.proof.fault} ${outcomeOf(event.proof)}`;
            command('error', { title }, event.proof.reason);
          }
          return;
        case 'notice':
          if (event.level === 'warning') {
            command('warning', {}, event.hint === undefined ? event.text : `${event.text}\n${event.hint}`);
          }
          return;
        case 'run-ended': {
          endGroup();
          const { error } = event.report.run;
          if (error) {
            const body = error.hint === undefined ? error.message : `${error.message}\n${error.hint}`;
            command('error', { title: `kindproof: ${error.code}` }, body);
          }
          appendSummary(env.GITHUB_STEP_SUMMARY, githubSummary(event.report));
        }
      }
    },
    close: endGroup,
  };

  function annotate(check: CheckResult, rerun: string): void {
    const title = `${check.suite} ${shortId(check)}: ${summaryOfCheck(check).split('\n')[0] ?? ''}`;
    command(
      'error',
      { file: check.file, title },
      `${failureBody(check)}${rerun === '' ? '' : `\nagain: ${rerun}`}`,
    );
  }
}

/** A summary that cannot be written must not end the run. */
function appendSummary(file: string | undefined, text: string): void {
  if (file === undefined || file === '') return;
  try {
    appendFileSync(file, text);
  } catch {
    // The log and the report have everything that the summary has.
  }
}

function escapeData(text: string): string {
  return plain(text).replace(/%/g, '%25').replace(/\r/g, '%0D').replace(/\n/g, '%0A');
}

function escapeProperty(text: string): string {
  return escapeData(text).replace(/:/g, '%3A').replace(/,/g, '%2C');
}
