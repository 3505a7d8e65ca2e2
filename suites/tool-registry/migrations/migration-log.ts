/** What the log of the migrations says. The documents define its meaning, not its wording. */
import { containsNoSecret } from '../../../harness/observe/predicates/live/secrets.ts';
import type { PredicateResult } from '../../../harness/observe/predicates/result.ts';

/** "It waits for PostgreSQL to be ready (max 30 retries)". */
export const MAX_ATTEMPTS = 30;

/** Wordings of the documents' three common causes of failed migrations. */
export const CAUSES = {
  unreachable:
    /refused|not (?:accessible|reachable|available|ready)|unreachable|could not connect|no answer|timed? ?out/i,
  password: /password authentication failed|authentication failed|invalid password/i,
  extension:
    /extension "?vector"? is not available|could not open extension control file|pgvector.*(?:missing|not (?:available|installed))|type "vector" does not exist/i,
} as const;

/** The numbers of the logged attempts to connect, in order: "attempt 3/30", "try 3 of 30", "(3/30)". */
export function attemptsIn(log: string): number[] {
  const counted = new RegExp(String.raw`\b(\d{1,4})\s*(?:/|of|out of)\s*${MAX_ATTEMPTS}\b`, 'i');
  const numbered = /\b(?:attempt|try|retry)\s*(?:no\.?|number|#)?\s*(\d{1,4})\b/i;
  const numbers = log.split('\n').flatMap((line) => {
    const found = counted.exec(line) ?? numbered.exec(line);
    return found ? [Number(found[1])] : [];
  });
  // One attempt may have several lines: its start, its failure, the cause.
  return numbers.filter((number, index) => number !== numbers[index - 1]);
}

/** Exactly all attempts were made, each once. */
export function gaveUpAfterAllAttempts(log: string): PredicateResult {
  const attempts = attemptsIn(log);
  const wanted = Array.from({ length: MAX_ATTEMPTS }, (_, index) => index + 1);
  const ok = attempts.join() === wanted.join();
  const counted = attempts.length === 0 ? 'the log counts no attempts' : `${attempts.length} attempts`;
  const last = attempts.at(-1);
  return {
    ok,
    expected: `the log counts ${MAX_ATTEMPTS} attempts`,
    actual: ok || last === undefined ? counted : `${counted}, the last has number ${last}`,
    observed: [`${counted} logged`],
    details: ok ? [] : [`attempts: ${attempts.join(', ') || 'none'}`, ...lastLines(log)],
  };
}

/** The log names the cause of the failed migration. */
export function namesCause(log: string, cause: RegExp, what: string): PredicateResult {
  const line = log.split('\n').find((text) => cause.test(text));
  return {
    ok: line !== undefined,
    expected: `the log names the cause: ${what}`,
    actual: line === undefined ? 'no such line' : line.trim(),
    observed: line === undefined ? [] : [`logged: ${line.trim()}`],
    details: line === undefined ? lastLines(log) : [],
  };
}

/** Revisions that were applied, by alembic's own log lines. */
export function upgradesIn(log: string): string[] {
  return [...log.matchAll(/Running upgrade\s+(.*)/g)].map((match) => match[1]?.trim() ?? '');
}

/** The log contains none of the passwords. */
export function containsNoPassword(log: string, ...passwords: readonly string[]): PredicateResult {
  const named = passwords.map((password, index) => [`password ${index + 1}`, password] as const);
  return containsNoSecret([{ title: 'the log of the migrations', text: log }], Object.fromEntries(named));
}

function lastLines(log: string): string[] {
  const lines = log.trim().split('\n');
  return lines.slice(-3).map((line) => `log: ${line.trim() || '(empty)'}`);
}
