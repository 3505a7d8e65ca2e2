/** How reporters group, name and describe checks, proofs and artifacts. */
import path from 'node:path';
import { seconds } from '../../core/deadline.ts';
import type { CheckResult, Proof } from './model.ts';
import { collapse } from './text.ts';
import { isRed } from './verdict.ts';

/** Items with their suite, in the order in which the suites first appear. */
export function bySuite<T extends { suite: string }>(items: readonly T[]): [suite: string, items: T[]][] {
  const groups = new Map<string, T[]>();
  for (const item of items) groups.set(item.suite, [...(groups.get(item.suite) ?? []), item]);
  return [...groups];
}

/** The id without its suite: `toolman/T-35` becomes `T-35`. */
export function shortId(check: { id: string; suite: string }): string {
  return check.id.startsWith(`${check.suite}/`) ? check.id.slice(check.suite.length + 1) : check.id;
}

/** What went wrong; may have several lines. */
export function summaryOfCheck(check: CheckResult): string {
  const summary = check.diagnosis?.summary ?? check.reason ?? `${check.title}: failed without a reason`;
  return check.status === 'errored' ? `could not be checked: ${summary}` : summary;
}

/** Why a check is not red although it did not pass; `undefined` for the others. */
export function remarkOf(check: CheckResult): string | undefined {
  const reason = check.reason ?? 'no reason was given';
  if (check.status === 'skipped') return `skipped: ${reason}`;
  if (check.status === 'not-applicable') return `not applicable: ${reason}`;
  if (check.status === 'blocked') return `blocked: ${reason}`;
  return check.status === 'warning' ? `warning: ${reason}` : undefined;
}

/** Blocked checks that rest on the same failure. */
export interface BlockedGroup {
  /** The check that reports the failure; absent when it is not among the checks. */
  by?: CheckResult;
  reason: string;
  blocked: CheckResult[];
}

/** The blocked checks among the checks of one suite, by the failure that blocks them. */
export function blockedGroups(checks: readonly CheckResult[]): BlockedGroup[] {
  const red = checks.filter(isRed);
  const groups = new Map<string, BlockedGroup>();
  for (const check of checks) {
    if (check.status !== 'blocked') continue;
    const by = red.find(({ id }) => id === check.blockedBy);
    const reason = check.reason ?? 'no reason was given';
    const key = `${by?.id ?? ''} ${reason}`;
    const group = groups.get(key) ?? { ...(by ? { by } : {}), reason, blocked: [] };
    groups.set(key, group);
    group.blocked.push(check);
  }
  return [...groups.values()];
}

/** The outcome of a proof in words. */
export function outcomeOf(proof: Proof): string {
  if (proof.outcome === 'not-provable') return 'not provable here';
  return proof.outcome === 'wrong-reason' ? 'caught for the wrong reason' : proof.outcome;
}

/** A failure as plain text: summary, expected and actual, causes, hint, timeline. */
export function failureBody(check: CheckResult): string {
  const lines = [summaryOfCheck(check)];
  const { diagnosis } = check;
  if (!diagnosis) return lines.join('\n');
  if (diagnosis.expected !== undefined) lines.push(`expected: ${diagnosis.expected}`);
  if (diagnosis.actual !== undefined) lines.push(`actual:   ${diagnosis.actual}`);
  diagnosis.causes.forEach((cause, depth) => {
    lines.push(`${depth === 0 ? 'because:' : '        '}  ${cause.object} ${cause.says}`);
  });
  if (diagnosis.hint !== undefined) lines.push(`fix:      ${diagnosis.hint}`);
  if (diagnosis.timeline.length > 0) lines.push('timeline:');
  for (const moment of collapse(diagnosis.timeline))
    lines.push(`  +${seconds(moment.afterMs)}  ${moment.text}`);
  return lines.join('\n');
}

/** The folder that holds all of the artifacts, with a trailing slash; `undefined` without artifacts. */
export function commonFolder(artifacts: readonly string[]): string | undefined {
  const [first, ...others] = artifacts.map((artifact) => path.posix.dirname(artifact).split('/'));
  if (first === undefined) return undefined;
  const common = [...first];
  for (const folders of others) {
    while (!common.every((folder, index) => folders[index] === folder)) common.pop();
  }
  return common.length === 0 ? './' : `${common.join('/')}/`;
}

/** `3 workers (why), label disk=ssd on 1 worker (why)`. */
export function wishesText(wishes: readonly { what: string; why: string }[]): string {
  return wishes.map(({ what, why }) => `${what} (${why})`).join(', ');
}
