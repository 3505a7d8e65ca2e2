/**
 * What a session with the agent has said: MCP over stdio is one JSON-RPC 2.0 message a line (MCP specification, transports, stdio). Pure: from
 * everything that came out so far to messages, and to what has no business on that stream.
 */
import { z } from 'zod';

const errorSchema = z.looseObject({ code: z.int(), message: z.string() });
/** `null` is the id of an answer to what could not be read (JSON-RPC 2.0, section 5). */
const idSchema = z.union([z.string(), z.number(), z.null()]);
const answerSchema = z.union([
  z.looseObject({ jsonrpc: z.literal('2.0'), id: idSchema, result: z.record(z.string(), z.unknown()) }),
  z.looseObject({ jsonrpc: z.literal('2.0'), id: idSchema, error: errorSchema }),
]);
/** A server may also notify, and ask its client. */
const callSchema = z.looseObject({ jsonrpc: z.literal('2.0'), method: z.string() });

export type RpcError = z.infer<typeof errorSchema>;

/** Either `result` or `error`. */
export interface Answer {
  id: string | number | null;
  result?: Record<string, unknown>;
  error?: RpcError;
}

export interface Transcript {
  /** In the order they came. */
  answers: Answer[];
  /** Notifications and requests of the server. */
  calls: { method: string }[];
  /** Every other line: on a stream that belongs to the protocol there must be none. */
  noise: string[];
}

/**
 * Reads the standard output of a session.
 *
 * With a terminal it is more than the server's: what was sent comes back as an echo, lines end in `\r\n`, and the log of standard error
 * is in between. A line that is exactly one that was sent is not an answer, and everything else that is no message counts as noise,
 * which says nothing then.
 *
 * @param stdout up to now: what comes after the last end of a line is not complete yet, and left out
 * @param echoed lines that were sent, when there is a terminal
 */
export function readTranscript(stdout: string, echoed: readonly string[] = []): Transcript {
  const transcript: Transcript = { answers: [], calls: [], noise: [] };
  const sent = new Set(echoed);
  for (const line of completeLines(stdout)) {
    if (sent.has(line)) continue;
    const message = parseJson(line);
    const answer = answerSchema.safeParse(message);
    const call = callSchema.safeParse(message);
    if (answer.success) transcript.answers.push(toAnswer(answer.data));
    else if (call.success) transcript.calls.push({ method: call.data.method });
    else transcript.noise.push(line);
  }
  return transcript;
}

function toAnswer(message: z.infer<typeof answerSchema>): Answer {
  const { id } = message;
  return 'error' in message ? { id, error: message.error as RpcError } : { id, result: message['result'] };
}

/** Lines without their ends; empty ones are none. */
function completeLines(text: string): string[] {
  return text
    .split('\n')
    .slice(0, -1)
    .map((line) => line.replace(/\r+$/, ''))
    .filter((line) => line.trim() !== '');
}

function parseJson(line: string): unknown {
  try {
    return JSON.parse(line) as unknown;
  } catch {
    return undefined;
  }
}

const toolSchema = z.looseObject({
  name: z.string().min(1),
  description: z.string().optional(),
  inputSchema: z.looseObject({ type: z.literal('object') }),
  annotations: z
    .looseObject({ readOnlyHint: z.boolean().optional(), destructiveHint: z.boolean().optional() })
    .optional(),
});

export type Tool = z.infer<typeof toolSchema>;

/** What `initialize` has to be answered with (MCP specification, lifecycle). */
export const initializeSchema = z.looseObject({
  protocolVersion: z.string().regex(/^\d{4}-\d{2}-\d{2}$/),
  capabilities: z.looseObject({ tools: z.looseObject({}) }),
  serverInfo: z.looseObject({ name: z.string().min(1), version: z.string().min(1) }),
});

/** What `tools/list` has to be answered with. */
export const toolsSchema = z.looseObject({ tools: z.array(toolSchema) });

const callResultSchema = z.looseObject({
  content: z.array(z.looseObject({ type: z.string(), text: z.string().optional() })).min(1),
  isError: z.boolean().optional(),
});

/** How a call of a tool came out. */
export type ToolOutcome =
  { refused: string } | { refused?: undefined; value: unknown } | { refused?: undefined; unreadable: string };

/**
 * The outcome of `tools/call`. A tool that fails says so in its result; one that is not there is an error of the protocol (MCP
 * specification, tools, error handling). What it tells is JSON in the text of its first content.
 */
export function toolOutcome(answer: Answer): ToolOutcome {
  if (answer.error) return { refused: `${answer.error.code} ${answer.error.message}` };
  const result = callResultSchema.safeParse(answer.result);
  if (!result.success) return { unreadable: `no content: ${JSON.stringify(answer.result)}` };
  const text = result.data.content[0]?.text ?? '';
  if (result.data.isError === true) return { refused: text };
  const value = parseJson(text);
  return value === undefined ? { unreadable: `not JSON: ${text}` } : { value };
}

/** Verbs with which a tool only looks. */
const LOOKING = new Set([
  'get',
  'list',
  'describe',
  'analyze',
  'show',
  'read',
  'check',
  'find',
  'explain',
  'search',
  'watch',
]);

/** Whether a tool changes something: by what it says of itself, and where it says nothing by the verb of its name. */
export function isMutating({ name, annotations }: Tool): boolean {
  if (annotations?.readOnlyHint === false || annotations?.destructiveHint === true) return true;
  const [verb = ''] = name.split(/[_.-]/);
  return !LOOKING.has(verb.toLowerCase());
}
