/** A client of the agent: MCP over standard input and output of a command in its pod, as with `kubectl exec -i`. */
import { systemClock, waitFor, type Clock, type Observation } from '../../../harness/core/deadline.ts';
import { CheckFailure, InfrastructureError, messageOf } from '../../../harness/core/errors.ts';
import type { ExecResult, ExecSession, KubeClient } from '../../../harness/kube/api/client.ts';
import type { Pod } from '../../../harness/kube/api/types.ts';
import { agentContainerOf } from '../agent.ts';
import { initializeSchema, readTranscript, toolOutcome, toolsSchema } from './session-transcript.ts';
import type { Answer, Tool, ToolOutcome, Transcript } from './session-transcript.ts';

/** The documented program. */
export const READ_ONLY = ['/agent', '--mode=read-only'];
/** For one answer. All sessions of a pod share a tenth of a core, also while they start. */
const ANSWER_MS = 60_000;
/** For a whole session. */
const SESSION_MS = 180_000;
/** For a session to end at the end of its check, before its connection is cut. */
const CLOSE_MS = 5000;
const PROTOCOL_VERSION = '2025-06-18';
const END_OF_INPUT_KEY = '\u0004';

export interface SessionOptions {
  /** Default `/agent --mode=read-only`. */
  command?: readonly string[];
  /** A terminal in between, as with `kubectl exec -t`. */
  tty?: boolean;
  /** Default: that of the agent. */
  container?: string;
  timeoutMs?: number;
  /** Tells when the session ended; replaced in unit tests. */
  clock?: Clock;
}

/** The check's lab: sessions end with the check. */
export interface SessionHost {
  kube: KubeClient;
  defer(title: string, undo: () => Promise<void>): void;
}

/**
 * Starts a session in a pod. It ends when the check ends, on every exit path.
 *
 * @throws ApiError when pod or container do not exist
 */
export async function openSession(
  host: SessionHost,
  pod: Pod,
  options: SessionOptions = {},
): Promise<McpSession> {
  const command = [...(options.command ?? READ_ONLY)];
  const where = `${pod.metadata.name} on ${pod.spec.nodeName ?? 'no node'}`;
  const how = options.tty ? ' at a terminal' : '';
  const opened: { session?: McpSession } = {};
  host.defer(`end the session in ${where}`, async () => opened.session?.close());
  const exec = await host.kube.openExec({
    namespace: pod.metadata.namespace ?? '',
    pod: pod.metadata.name,
    container: options.container ?? agentContainerOf(pod.spec, pod.metadata.name).name,
    command,
    stdin: true,
    tty: options.tty ?? false,
    timeoutMs: options.timeoutMs ?? SESSION_MS,
  });
  opened.session = new McpSession(
    exec,
    `\`${command.join(' ')}\`${how} in ${where}`,
    options.tty ?? false,
    options.clock,
  );
  return opened.session;
}

type Ending = { at: number } & ({ result: ExecResult } | { error: unknown });

export class McpSession {
  /** For messages: the command, and where it runs. */
  readonly title: string;
  readonly #exec: ExecSession;
  readonly #tty: boolean;
  readonly #sent: string[] = [];
  readonly #asked = new Set<Answer['id']>([null]);
  #ending: Ending | undefined;
  #nextId = 1;

  constructor(exec: ExecSession, title: string, tty: boolean, clock = systemClock) {
    this.#exec = exec;
    this.title = title;
    this.#tty = tty;
    exec.ended.then(
      (result) => (this.#ending = { at: clock.now(), result }),
      (error: unknown) => (this.#ending = { at: clock.now(), error }),
    );
  }

  /** Everything received on standard output so far. */
  transcript(): Transcript {
    return readTranscript(this.#exec.output().stdout, this.#tty ? this.#sent : []);
  }

  /** Empty with a terminal, which has only one stream. */
  get stderr(): string {
    return this.#exec.output().stderr;
  }

  /** When this process learned that the session had ended, ms since the epoch; `undefined` while it runs. */
  get endedAt(): number | undefined {
    return this.#ending?.at;
  }

  /** Sends a line verbatim. */
  send(line: string): void {
    this.#sent.push(line);
    this.#exec.write(`${line}\n`);
  }

  notify(method: string): void {
    this.send(JSON.stringify({ jsonrpc: '2.0', method }));
  }

  /** Sends a request and returns its id, for `answerTo`. */
  ask(
    method: string,
    params?: Record<string, unknown>,
    id: string | number = this.#nextId++,
  ): string | number {
    this.#asked.add(id);
    this.send(JSON.stringify({ jsonrpc: '2.0', id, method, ...(params && { params }) }));
    return id;
  }

  /**
   * The answer with exactly this id, of the same type.
   *
   * @param what the request, for the message
   * @throws WaitTimeout when none comes; early when the session has ended or answers an id that no request has
   */
  answerTo(id: Answer['id'], what: string): Promise<Answer> {
    return waitFor<Answer>({
      what: `an answer to ${what} with id ${JSON.stringify(id)} from ${this.title}`,
      timeoutMs: ANSWER_MS,
      intervalMs: 50,
      look: () => Promise.resolve(this.#lookFor(id)),
    });
  }

  request(method: string, params?: Record<string, unknown>, id?: string | number): Promise<Answer> {
    return this.answerTo(this.ask(method, params, id), method);
  }

  /**
   * The result of a request that has to succeed.
   *
   * @throws CheckFailure `E_RPC` when it is answered with an error
   */
  async result(method: string, params?: Record<string, unknown>): Promise<Record<string, unknown>> {
    const { result, error } = await this.request(method, params);
    if (result) return result;
    throw this.#failure(`${method} is answered with error ${error?.code ?? ''} ${error?.message ?? ''}`);
  }

  /**
   * The first exchange of every session, including the client's confirmation.
   *
   * @throws CheckFailure `E_RPC` that names what the protocol requires and the answer lacks
   */
  async initialize(): Promise<{ protocolVersion: string; serverInfo: { name: string; version: string } }> {
    const answer = await this.result('initialize', {
      protocolVersion: PROTOCOL_VERSION,
      capabilities: {},
      clientInfo: { name: 'kindproof', version: '1' },
    });
    const parsed = initializeSchema.safeParse(answer);
    if (!parsed.success) throw this.#malformed('initialize', parsed.error);
    this.notify('notifications/initialized');
    return parsed.data;
  }

  /** @throws CheckFailure `E_RPC` */
  async tools(): Promise<Tool[]> {
    const parsed = toolsSchema.safeParse(await this.result('tools/list'));
    if (!parsed.success) throw this.#malformed('tools/list', parsed.error);
    return parsed.data.tools;
  }

  async call(name: string, args: Record<string, unknown> = {}): Promise<ToolOutcome> {
    return toolOutcome(await this.request('tools/call', { name, arguments: args }));
  }

  /**
   * The result of a tool that has to succeed.
   *
   * @throws CheckFailure `E_TOOL`
   */
  async value(name: string): Promise<unknown> {
    const outcome = await this.call(name);
    if ('value' in outcome) return outcome.value;
    if (outcome.refused !== undefined) {
      throw new CheckFailure('E_TOOL', `${this.title}: ${name} fails: ${outcome.refused}`);
    }
    const result = 'text' in outcome ? `not JSON: ${outcome.text}` : outcome.unreadable;
    throw new CheckFailure('E_TOOL', `${this.title}: the result of ${name} is ${result}`);
  }

  /**
   * Ends the input: with Ctrl+D at a terminal, otherwise by closing it.
   *
   * @throws InfrastructureError `E_EXEC_INPUT` where the API server cannot close the input (before Kubernetes 1.30)
   */
  endInput(): void {
    if (this.#tty) return this.#exec.write(END_OF_INPUT_KEY);
    if (!this.#exec.canEndInput) {
      throw new InfrastructureError('E_EXEC_INPUT', 'this API server cannot close the input of a command', {
        hint: 'use Kubernetes 1.30 or newer',
      });
    }
    this.#exec.endInput();
  }

  /** Cuts the connection, as a killed client does. */
  drop(): void {
    this.#exec.drop();
  }

  /**
   * Waits for the session to end.
   *
   * @throws WaitTimeout when it still runs after `timeoutMs`; InfrastructureError when the connection broke
   */
  async ended(what: string, timeoutMs: number): Promise<ExecResult> {
    const ending = await waitFor<Ending>({
      what: `${this.title} to end ${what}`,
      timeoutMs,
      intervalMs: 50,
      look: () =>
        Promise.resolve(
          this.#ending ? { done: true, value: this.#ending } : { done: false, seen: 'it still runs' },
        ),
    });
    if ('result' in ending) return ending.result;
    throw ending.error;
  }

  /** Ends the input, and cuts the connection when the session does not end; never throws. */
  async close(): Promise<void> {
    try {
      if (this.#ending) return;
      this.endInput();
      await this.ended('with its check', CLOSE_MS);
    } catch {
      // Failures of the session are for the check to report.
      this.drop();
    }
  }

  #lookFor(id: Answer['id']): Observation<Answer> {
    const { answers, noise } = this.transcript();
    const answer = answers.find((candidate) => candidate.id === id);
    if (answer) return { done: true, value: answer };
    const unexpected = answers.find((candidate) => !this.#asked.has(candidate.id));
    if (unexpected) {
      const seen = `an answer with id ${JSON.stringify(unexpected.id)}`;
      return { done: false, seen, hopeless: 'no request has that id' };
    }
    if (this.#ending)
      return { done: false, seen: this.#endSeen(this.#ending), hopeless: 'the session has ended' };
    const last = noise.at(-1) ?? this.stderr.trim().split('\n').at(-1) ?? '';
    return { done: false, seen: last === '' ? 'no output' : last };
  }

  #endSeen(ending: Ending): string {
    if ('error' in ending) return messageOf(ending.error);
    const { exitCode, stdout, stderr } = ending.result;
    const lines = (this.#tty ? stdout : stderr).split('\n').map((line) => line.trim());
    // A terminal also echoes input that arrives after the end of the program.
    const last = lines.findLast((line) => line !== '' && !this.#sent.includes(line));
    return `it exited with ${exitCode}${last === undefined ? '' : `: ${last}`}`;
  }

  #malformed(method: string, error: { issues: { path: PropertyKey[]; message: string }[] }): CheckFailure {
    const wrong = error.issues.map(({ path, message }) => `${path.map(String).join('.')}: ${message}`);
    return this.#failure(`the answer to ${method} does not follow the protocol: ${wrong.join('; ')}`);
  }

  #failure(message: string): CheckFailure {
    return new CheckFailure('E_RPC', `${this.title}: ${message}`);
  }
}
