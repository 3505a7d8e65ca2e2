/** Annotations, log groups and the step summary of GitHub Actions. */
import { appendFileSync } from 'node:fs';
import type { RunEvent } from '../events.ts';
import { githubSummary } from './summary.ts';
import type { CheckResult } from '../model.ts';
import { isWarning } from '../status.ts';
import type { Reporter, TextStream } from '../reporter.ts';
import { plain } from '../text.ts';
import { isRed, isUncaught, verdictOf } from '../verdict.ts';
import { failureBody, outcomeOf, shortId, summaryOfCheck } from '../wording.ts';

export interface GithubOptions {
  env: Record<string, string | undefined>;
  stream: TextStream;
}

/**
 * A reporter for GitHub Actions; `undefined` anywhere else.
 *
 * List it before the terminal reporter, whose last line must stay the last.
 * Workflow commands: docs.github.com, "Workflow commands for GitHub Actions".
 */
export function createGithubReporter({ env, stream }: GithubOptions): Reporter | undefined {
  if (env['GITHUB_ACTIONS'] !== 'true') return undefined;
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

  /** Groups do not nest: phases that run at the same time share one. */
  function phaseStarted(name: string): void {
    open.add(name);
    endGroup();
    command('group', {}, [...open].join(' + '));
    grouped = true;
  }

  function phaseEnded(name: string, failed: boolean): void {
    open.delete(name);
    // A failure must be visible without unfolding a group.
    if (open.size === 0 || failed) endGroup();
  }

  return {
    name: 'github',
    onEvent(event: RunEvent) {
      switch (event.type) {
        case 'phase-started':
          phaseStarted(event.name);
          return;
        case 'phase-ended':
          phaseEnded(event.name, event.status === 'failed');
          return;
        case 'check-started':
          // Checks are never folded, although they run within a phase.
          endGroup();
          return;
        case 'check-ended':
          endGroup();
          if (isRed(event.check)) annotate('error', event.check, event.rerun);
          if (isWarning(event.check)) annotate('warning', event.check, event.rerun);
          return;
        case 'proof-ended':
          if (isUncaught(event.proof)) {
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
          const { problem } = verdictOf(event.report);
          if (problem) {
            const body = problem.hint === undefined ? problem.message : `${problem.message}\n${problem.hint}`;
            command('error', { title: `kindproof: ${problem.code}` }, body);
          }
          const summaryFile = env['GITHUB_STEP_SUMMARY'] ?? '';
          if (summaryFile !== '') appendFileSync(summaryFile, githubSummary(event.report));
        }
      }
    },
    close: endGroup,
  };

  function annotate(level: 'error' | 'warning', check: CheckResult, rerun: string): void {
    const title = `${check.suite} ${shortId(check)}: ${summaryOfCheck(check).split('\n')[0] ?? ''}`;
    command(
      level,
      { file: check.file, title },
      `${failureBody(check)}${rerun === '' ? '' : `\nagain: ${rerun}`}`,
    );
  }
}

function escapeData(text: string): string {
  return plain(text).replace(/%/g, '%25').replace(/\r/g, '%0D').replace(/\n/g, '%0A');
}

function escapeProperty(text: string): string {
  return escapeData(text).replace(/:/g, '%3A').replace(/,/g, '%2C');
}
