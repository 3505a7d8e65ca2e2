/**
 * The error classes that decide the exit code of a run.
 *
 * Every error says what went wrong (message), why (cause, details) and what to do (hint). The code is stable, so that
 * a script can tell one failure from another without parsing sentences.
 */

import { inspect } from 'node:util';

/** Exit codes of every kindproof command; documented in README.md. */
export const EXIT = { passed: 0, checkFailed: 1, usage: 2, infrastructure: 3, interrupted: 130 } as const;

export type ExitCode = (typeof EXIT)[keyof typeof EXIT];

export interface ErrorOptionsWithHint {
  /** What the reader can do about it, as an imperative sentence. */
  hint?: string | undefined;
  cause?: unknown;
  /** Facts for the log and the report, never needed to understand the message. */
  details?: Record<string, unknown> | undefined;
}

/** Base of all errors that kindproof throws on purpose. */
export abstract class KindproofError extends Error {
  abstract readonly exitCode: ExitCode;
  readonly code: `E_${string}`;
  readonly hint: string | undefined;
  readonly details: Record<string, unknown>;

  constructor(code: `E_${string}`, message: string, options: ErrorOptionsWithHint = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = new.target.name;
    this.code = code;
    this.hint = options.hint;
    this.details = options.details ?? {};
  }
}

/** The user asked for something that cannot be: nothing was created. Exit code 2. */
export class UsageError extends KindproofError {
  readonly exitCode = EXIT.usage;
}

/** Engine, cluster, registry or tool failed: says nothing about the chart under test. Exit code 3. */
export class InfrastructureError extends KindproofError {
  readonly exitCode = EXIT.infrastructure;
}

/** A promise of the subject is not kept. Exit code 1. */
export class CheckFailure extends KindproofError {
  readonly exitCode = EXIT.checkFailed;
}

/** The run was cancelled by a signal. Exit code 130. */
export class InterruptedError extends KindproofError {
  readonly exitCode = EXIT.interrupted;
  constructor(reason = 'interrupted') {
    super('E_INTERRUPTED', reason);
  }
}

/** The exit code that an error of any kind asks for; unknown errors are bugs of ours and count as infrastructure. */
export function exitCodeOf(error: unknown): ExitCode {
  return error instanceof KindproofError ? error.exitCode : EXIT.infrastructure;
}

/** One message for any thrown value, with the chain of its causes: `a: b: c`, without repeating what the outer one says. */
export function messageOf(error: unknown): string {
  return chainOf(error, new Set());
}

function chainOf(error: unknown, seen: Set<unknown>): string {
  if (!(error instanceof Error)) return textOf(error);
  seen.add(error);
  const own = ownMessage(error, seen);
  // A chain that bites its own tail has been told already.
  if (error.cause === undefined || seen.has(error.cause)) return own;
  const cause = chainOf(error.cause, seen);
  return own.includes(cause) ? own : `${own}: ${cause}`;
}

/** Errors of a worker thread arrive as plain objects. */
function textOf(thrown: unknown): string {
  if (typeof thrown !== 'object' || thrown === null) return String(thrown);
  if ('message' in thrown && typeof thrown.message === 'string') return thrown.message;
  return inspect(thrown, { depth: 2, breakLength: Infinity });
}

/** Never empty: a refused connection to a name with two addresses is an AggregateError without a message. */
function ownMessage(error: Error, seen: Set<unknown>): string {
  if (error.message !== '') return error.message;
  if (error instanceof AggregateError && error.errors.length > 0) {
    return error.errors
      .filter((one) => !seen.has(one))
      .map((one) => chainOf(one, seen))
      .join(', ');
  }
  return error.name;
}
