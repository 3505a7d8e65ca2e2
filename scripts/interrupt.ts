import { seconds } from '../harness/core/deadline.ts';
import { EXIT, InfrastructureError, InterruptedError, messageOf } from '../harness/core/errors.ts';

const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

/** A terminal sends Ctrl+C to every process of the command, and npm passes it on: signals within this time are one request. */
const ONE_REQUEST_MS = 1000;

export interface Interrupt {
  /** Its reason is an InterruptedError. */
  signal: AbortSignal;
  /** Call it when everything is taken down: from then on, signals and exceptions end the process. */
  dispose: () => void;
}

export interface InterruptOptions {
  /** The time limit of the command; none by default. */
  timeoutMs?: number | undefined;
  /** Monotonic time in milliseconds. */
  now?: () => number;
}

/**
 * For a command that has to take something down. Aborts on the first SIGINT, SIGTERM or SIGHUP (exit code 130), on an exception or
 * rejection that nobody has caught, when nothing is left that could end the command, and after the time limit (exit code 3). A later
 * signal ends the process immediately.
 */
export function interruptSignal(options: InterruptOptions = {}): Interrupt {
  const { timeoutMs, now = () => performance.now() } = options;
  const controller = new AbortController();
  const { signal } = controller;
  let requestedAt: number | undefined;

  const onSignal = (name: NodeJS.Signals): void => {
    if (requestedAt === undefined) {
      requestedAt = now();
      controller.abort(new InterruptedError(`interrupted by ${name}`));
    } else if (now() - requestedAt >= ONE_REQUEST_MS) {
      process.stderr.write('\nended without taking down; `npm run sweep` removes what is left\n');
      process.exit(EXIT.interrupted);
    }
  };
  const fail = (failure: InfrastructureError): void => {
    controller.abort(new InterruptedError(failure.message, failure));
  };
  const onUncaught = (error: unknown): void => {
    // The teardown goes on whatever happens beside it.
    if (signal.aborted) process.stderr.write(`${traceOf(error)}\n`);
    else fail(uncaughtError(error));
  };
  const onIdle = (): void => {
    fail(
      new InfrastructureError('E_UNCAUGHT', 'nothing is left to wait for, but the command has not ended', {
        hint: 'This is a bug in kindproof: it waits for work that was lost.',
      }),
    );
  };
  const onLimit = (): void => {
    fail(
      new InfrastructureError('E_TIME_LIMIT', `the run did not end within ${seconds(timeoutMs ?? 0)}`, {
        hint: 'Raise --timeout, or see in the report what took long.',
      }),
    );
  };

  for (const name of SIGNALS) process.on(name, onSignal);
  process.on('uncaughtException', onUncaught);
  process.on('beforeExit', onIdle);
  const limit = timeoutMs === undefined ? undefined : AbortSignal.timeout(timeoutMs);
  limit?.addEventListener('abort', onLimit);
  return {
    signal,
    dispose: () => {
      for (const name of SIGNALS) process.off(name, onSignal);
      process.off('uncaughtException', onUncaught);
      process.off('beforeExit', onIdle);
      limit?.removeEventListener('abort', onLimit);
    },
  };
}

function uncaughtError(cause: unknown): InfrastructureError {
  return new InfrastructureError('E_UNCAUGHT', `an unexpected error: ${messageOf(cause)}`, {
    cause,
    hint: 'This is a bug in kindproof.',
  });
}

function traceOf(error: unknown): string {
  return error instanceof Error ? (error.stack ?? error.message) : messageOf(error);
}
