/**
 * The error classes, which determine the exit code of a run.
 *
 * Every error has what went wrong (message), why (cause, details) and what to do (hint). Scripts can rely on the code, which is stable.
 */
import { inspect } from 'node:util';

/** Exit codes of every kindproof command; documented in README.md. */
export const EXIT = { passed: 0, checkFailed: 1, usage: 2, infrastructure: 3, interrupted: 130 } as const;

export type ExitCode = (typeof EXIT)[keyof typeof EXIT];

export interface ErrorOptionsWithHint {
  /** What to do about it, in the imperative. */
  hint?: string | undefined;
  cause?: unknown;
  /** Facts for the log and the report. The message must be complete without them. */
  details?: Record<string, unknown> | undefined;
}

/** Base of all errors that kindproof throws deliberately. */
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

/** Invalid options or an invalid subject. Exit code 2. */
export class UsageError extends KindproofError {
  readonly exitCode = EXIT.usage;
}

/** The engine, cluster, registry or a tool failed; the subject is not at fault. Exit code 3. */
export class InfrastructureError extends KindproofError {
  readonly exitCode = EXIT.infrastructure;
}

/** The subject broke a promise. Exit code 1. */
export class CheckFailure extends KindproofError {
  readonly exitCode = EXIT.checkFailed;
}

/**
 * A check does not fit the subject: the condition of its requirement does not hold, or its own means do not fit (a patch without a
 * target, a value that the chart does not have, a program that the image lacks). The check is not applicable: neither passed nor failed.
 */
export class DoesNotFit extends KindproofError {
  readonly exitCode = EXIT.infrastructure;
  /** @param missing what the subject lacks, as a clause: `the chart renders no PodDisruptionBudget` */
  constructor(missing: string, options: ErrorOptionsWithHint = {}) {
    super('E_DOES_NOT_FIT', missing, options);
  }
}

/** The subject has no object or container of a documented name. Only a requirement about that name is broken; no other check fits. */
export class NameMissing extends DoesNotFit {}

/** The run was cancelled: by a signal (exit code 130), or because of `failure`, which then has code and exit code. */
export class InterruptedError extends KindproofError {
  readonly exitCode: ExitCode;
  readonly failure: InfrastructureError | undefined;
  constructor(reason = 'interrupted', failure?: InfrastructureError) {
    super(failure?.code ?? 'E_INTERRUPTED', reason, { hint: failure?.hint, cause: failure?.cause });
    this.exitCode = failure?.exitCode ?? EXIT.interrupted;
    this.failure = failure;
  }
}

/** The exit code for any thrown value. Unknown errors are bugs in kindproof and count as infrastructure. */
export function exitCodeOf(error: unknown): ExitCode {
  return error instanceof KindproofError ? error.exitCode : EXIT.infrastructure;
}

/** The message of any thrown value with its causes, `a: b: c`. A cause that the outer message already contains is not repeated. */
export function messageOf(error: unknown): string {
  return chainOf(error, new Set());
}

function chainOf(error: unknown, seen: Set<unknown>): string {
  if (!(error instanceof Error)) return textOf(error);
  seen.add(error);
  const own = ownMessage(error, seen);
  // Cyclic causes are reported once.
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

/** Never empty. A refused connection to a name with two addresses is an AggregateError without a message. */
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
