/** Runs commands in containers over the API server's WebSocket. */
import { Exec } from '@kubernetes/client-node';
import { z } from 'zod';
import { seconds } from '../../core/deadline.ts';
import { CheckFailure, InfrastructureError, KindproofError, messageOf } from '../../core/errors.ts';
import { lastLines } from '../../core/wording.ts';
import { callScope } from '../../core/call-scope.ts';
import type { CallScope } from '../../core/call-scope.ts';
import type { ExecOptions, ExecResult, ExecSession, ExecSessionOptions } from './client.ts';
import { missingProgram, missingProgramOf } from './missing-program.ts';
import type { Status } from './status.ts';
import { parseOutcome, toApiError } from './status.ts';
import { DEFAULT_TIMEOUT_MS } from './transport.ts';
import type { Connection } from './kubeconfig.ts';

/** The first byte of a frame selects the stream (`v4.channel.k8s.io` and later). */
const CHANNEL = { stdin: 0, stdout: 1, stderr: 2, status: 3, close: 255 } as const;
/** Well below the frame size limit of proxies. */
const STDIN_CHUNK = 32 * 1024;

/** The part of the WebSocket used here. client-node's own type comes from a package without types. */
interface Socket {
  readonly protocol: string;
  send(data: Buffer): void;
  terminate(): void;
  addEventListener(type: 'close', listener: (event: { code: number; reason: string }) => void): void;
}

/**
 * Runs a command in a container to completion.
 *
 * @returns exit code and output, also for a non-zero exit code
 * @throws DoesNotFit when the image lacks a program of the checks; CheckFailure `E_NO_PROGRAM` when it lacks another one,
 *   `E_EXEC_TIMEOUT`, `E_EXEC_DROPPED` (the connection ended before the command, e.g. because the container died); ApiError when the
 *   command could not start for another reason (missing pod or container); InfrastructureError
 *   `E_CLUSTER_UNREACHABLE`, `E_EXEC_UNREADABLE`; InterruptedError
 */
export async function execInPod(
  connection: Connection,
  signal: AbortSignal,
  options: ExecOptions,
): Promise<ExecResult> {
  const { stdin } = options;
  const session = await openExec(connection, signal, { ...options, stdin: stdin !== undefined });
  if (stdin !== undefined) {
    session.write(stdin);
    // Only v5 of the protocol can end the input and still receive output. With older versions the input stays open.
    if (session.canEndInput) session.endInput();
  }
  return session.ended;
}

/**
 * Starts a command in a container and stays connected to it.
 *
 * @returns once connected; `ended` rejects with the errors of `execInPod`
 * @throws ApiError when the pod or container does not exist; InfrastructureError; InterruptedError
 */
export async function openExec(
  connection: Connection,
  signal: AbortSignal,
  options: ExecSessionOptions,
): Promise<ExecSession> {
  const timeoutMs = options.timeoutMs ?? DEFAULT_TIMEOUT_MS;
  const scope = callScope([signal, options.signal], timeoutMs);
  const where = `${options.namespace}/${options.pod}${options.container === undefined ? '' : `/${options.container}`}`;
  const what = `run \`${options.command.join(' ')}\` in ${where}`;
  const out = { [CHANNEL.stdout]: [] as Buffer[], [CHANNEL.stderr]: [] as Buffer[] };
  const text = (channel: 1 | 2): string => Buffer.concat(out[channel]).toString('utf8');
  const about = { scope, what, timeoutMs, connection, seen: () => text(1) + text(2) };
  const status = deferred<Status>();
  // It may reject before anything awaits it.
  status.promise.catch(() => {});
  scope.signal.addEventListener('abort', () => status.reject(scope.signal.reason as Error), { once: true });
  const onFrame = (channel: number, data: Buffer): boolean => {
    if (channel === CHANNEL.stdout || channel === CHANNEL.stderr) {
      out[channel].push(data);
      options.onOutput?.(channel === CHANNEL.stdout ? 'stdout' : 'stderr', data);
    }
    if (channel !== CHANNEL.status) return true;
    const parsed = parseOutcome(data.toString('utf8'));
    if (parsed) status.resolve(parsed);
    else
      status.reject(
        new Unreadable(`unreadable status of the command: ${data.toString('utf8').slice(0, 200)}`),
      );
    return false;
  };
  const failed = (error: unknown): never => {
    scope.throwIfInterrupted();
    throw explain(error, about);
  };
  let socket: Socket;
  try {
    if (scope.signal.aborted) throw scope.signal.reason;
    const connecting = connect(connection, scope, options, onFrame);
    // A connection that opens after the call has ended is closed.
    void connecting.then((late) => {
      if (scope.signal.aborted) late.terminate();
    }, ignore);
    socket = await Promise.race([connecting, status.promise.then(() => connecting)]);
  } catch (error) {
    scope.dispose();
    return failed(error);
  }
  // The promise of `connect` does not report the end of the connection.
  socket.addEventListener('close', ({ code, reason }) => {
    const why = reason === '' ? `code ${code}` : `code ${code}, ${reason}`;
    status.reject(new Dropped(`the connection ended before the command did (${why})`));
  });

  async function end(): Promise<ExecResult> {
    try {
      const outcome = await status.promise;
      const exitCode = exitCodeOf(outcome);
      if (exitCode !== undefined) {
        const result = { exitCode, stdout: text(1), stderr: text(2) };
        const unfit = missingProgramOf(options.command, where, result);
        if (unfit) throw unfit;
        return result;
      }
      const missing = missingProgram(options.command, where, outcome.message ?? '');
      if (missing) throw missing;
      throw toApiError(
        `could not ${what}`,
        outcome.code ?? 500,
        JSON.stringify({ kind: 'Status', ...outcome }),
      );
    } catch (error) {
      return failed(error);
    } finally {
      scope.dispose();
      socket.terminate();
    }
  }
  const ended = end();
  ended.catch(ignore);
  return {
    canEndInput: socket.protocol === 'v5.channel.k8s.io',
    write: (input) => {
      sendInput(socket, input);
    },
    endInput: () => {
      socket.send(Buffer.of(CHANNEL.close, CHANNEL.stdin));
    },
    drop: () => {
      socket.terminate();
    },
    output: () => ({ stdout: text(1), stderr: text(2) }),
    ended,
  };
}

const ignore = (): void => {};

// Node 20 does not have Promise.withResolvers.
function deferred<T>(): {
  promise: Promise<T>;
  resolve: (value: T) => void;
  reject: (error: unknown) => void;
} {
  let settle: Pick<ReturnType<typeof deferred<T>>, 'resolve' | 'reject'> | undefined;
  const promise = new Promise<T>((resolve, reject) => (settle = { resolve, reject }));
  return { promise, resolve: (value) => settle?.resolve(value), reject: (error) => settle?.reject(error) };
}

class Dropped extends Error {}

class Unreadable extends Error {}

function connect(
  connection: Connection,
  scope: CallScope,
  options: ExecSessionOptions,
  onFrame: (channel: number, data: Buffer) => boolean,
): Promise<Socket> {
  const query = new URLSearchParams({
    stdout: 'true',
    // A terminal has a single output stream.
    stderr: String(!options.tty),
    stdin: String(options.stdin),
    tty: String(options.tty ?? false),
  });
  if (options.container !== undefined) query.set('container', options.container);
  for (const word of options.command) query.append('command', word);
  // Adds the signal of the call, so that a hanging handshake ends with it.
  const config = Object.create(connection.config) as Connection['config'];
  config.applyToHTTPSOptions = async (target) => {
    await connection.config.applyToHTTPSOptions(target);
    Object.assign(target, { signal: scope.signal });
  };
  const path = `/api/v1/namespaces/${encodeURIComponent(options.namespace)}/pods/${encodeURIComponent(options.pod)}/exec`;
  // Not `Exec.exec()`: it throws inside an event handler on frames of streams that were not requested.
  return new Exec(config).handler.connect(`${path}?${query.toString()}`, null, onFrame);
}

function sendInput(socket: Socket, input: string): void {
  const data = Buffer.from(input, 'utf8');
  for (let start = 0; start < data.length; start += STDIN_CHUNK) {
    socket.send(Buffer.concat([Buffer.of(CHANNEL.stdin), data.subarray(start, start + STDIN_CHUNK)]));
  }
}

/** The exit code is in the causes of the Status. A failed Status without one means that exec itself failed. */
function exitCodeOf(status: Status): number | undefined {
  if (status.status === 'Success') return 0;
  const code = status.details?.causes?.find((cause) => cause.reason === 'ExitCode')?.message;
  return code === undefined ? undefined : Number(code);
}

const errorEventSchema = z.looseObject({ message: z.string(), error: z.unknown() });

function explain(
  error: unknown,
  about: { scope: CallScope; what: string; timeoutMs: number; connection: Connection; seen: () => string },
): Error {
  const { what, connection } = about;
  if (error instanceof KindproofError) return error;
  const tail = lastLines(about.seen(), 5);
  const seen = tail === '' ? 'no output' : `last output:\n${tail}`;
  if (about.scope.expired()) {
    return new CheckFailure(
      'E_EXEC_TIMEOUT',
      `could not ${what} within ${seconds(about.timeoutMs)}; ${seen}`,
      {
        hint: 'give the command more time, or find out what it waits for',
      },
    );
  }
  if (error instanceof Dropped) {
    return new CheckFailure('E_EXEC_DROPPED', `could not ${what}: ${error.message}; ${seen}`, {
      cause: error,
      hint: 'check whether the container or its node stopped at that moment',
    });
  }
  // A failed handshake rejects with an ErrorEvent, which is not an Error.
  const event = errorEventSchema.safeParse(error);
  const message = event.success ? event.data.message : messageOf(error);
  if (error instanceof Unreadable) {
    return new InfrastructureError('E_EXEC_UNREADABLE', `could not ${what}: ${message}`, {
      cause: error,
      hint: 'check whether a proxy in front of the API server alters the traffic',
    });
  }
  const status = /Unexpected server response: (\d+)/.exec(message)?.[1];
  if (status !== undefined)
    return toApiError(`could not ${what}`, Number(status), statusText(Number(status)));
  return new InfrastructureError(
    'E_CLUSTER_UNREACHABLE',
    `could not ${what}: API server ${connection.server} of context ${connection.context} cannot be reached: ${message}`,
    {
      cause: event.success ? event.data.error : error,
      hint: 'check that the cluster runs and that the kubeconfig belongs to it',
      details: { server: connection.server, context: connection.context },
    },
  );
}

function statusText(status: number): string {
  const known: Record<number, string> = {
    400: 'the container does not exist, or the pod has several and none was selected',
    403: 'no permission to exec into pods',
    404: 'the pod does not exist',
  };
  return known[status] ?? `the server answered ${status}`;
}
