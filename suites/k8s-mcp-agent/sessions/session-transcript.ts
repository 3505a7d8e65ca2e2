/**
 * The output of a session with the agent. MCP over stdio is one JSON-RPC 2.0 message per line (MCP specification, transports, stdio).
 * Pure: separates all output so far into messages and noise.
 */
import { z } from 'zod';

const errorSchema = z.looseObject({ code: z.int(), message: z.string() });
/** `null` is the id of an answer to an unreadable request (JSON-RPC 2.0, section 5). */
const idSchema = z.union([z.string(), z.number(), z.null()]);
const answerSchema = z.union([
  z.looseObject({ jsonrpc: z.literal('2.0'), id: idSchema, result: z.record(z.string(), z.unknown()) }),
  z.looseObject({ jsonrpc: z.literal('2.0'), id: idSchema, error: errorSchema }),
]);
/** A server may also send notifications and requests. */
const callSchema = z.looseObject({ jsonrpc: z.literal('2.0'), method: z.string() });

export type RpcError = z.infer<typeof errorSchema>;

/** Either `result` or `error`. */
export interface Answer {
  id: string | number | null;
  result?: Record<string, unknown>;
  error?: RpcError;
}

export interface Transcript {
  /** In the order of arrival. */
  answers: Answer[];
  /** The server's notifications and requests. */
  calls: { method: string }[];
  /** Every other line; the protocol allows none. */
  noise: string[];
}

/**
 * Reads the standard output of a session.
 *
 * With a terminal it contains more than the server's messages: sent lines are echoed, lines end in `\r\n`, and the log from standard
 * error is mixed in. Lines that equal a sent one are left out; the rest that is no message counts as noise, which proves nothing then.
 *
 * @param stdout all output so far; an incomplete last line is left out
 * @param echoed the sent lines, with a terminal
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

/** Lines without their line ends; empty ones are left out. */
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

/** The result of `initialize` (MCP specification, lifecycle). */
export const initializeSchema = z.looseObject({
  protocolVersion: z.string().regex(/^\d{4}-\d{2}-\d{2}$/),
  capabilities: z.looseObject({ tools: z.looseObject({}) }),
  serverInfo: z.looseObject({ name: z.string().min(1), version: z.string().min(1) }),
});

/** The result of `tools/list`. */
export const toolsSchema = z.looseObject({ tools: z.array(toolSchema) });

const callResultSchema = z.looseObject({
  content: z.array(z.looseObject({ type: z.string(), text: z.string().optional() })),
  structuredContent: z.record(z.string(), z.unknown()).optional(),
  isError: z.boolean().optional(),
});

/** The outcome of a tool call. */
export type ToolOutcome =
  | { refused: string }
  | { refused?: undefined; value: unknown }
  | { refused?: undefined; text: string }
  | { refused?: undefined; unreadable: string };

/**
 * The outcome of `tools/call`. A failing tool has `isError` in its result; an unknown tool is a protocol error (MCP specification, tools,
 * error handling). The value is the structured content, or the JSON text of the first content; any other text is a valid result as well,
 * but not a value. A result is unreadable when it does not follow the protocol.
 */
export function toolOutcome(answer: Answer): ToolOutcome {
  if (answer.error) return { refused: `${answer.error.code} ${answer.error.message}` };
  const result = callResultSchema.safeParse(answer.result);
  if (!result.success) return { unreadable: `no content: ${JSON.stringify(answer.result)}` };
  const text = result.data.content[0]?.text ?? '';
  if (result.data.isError === true) return { refused: text };
  const value = result.data.structuredContent ?? parseJson(text);
  return value === undefined ? { text } : { value };
}

/** Verbs of tools that only read. */
const READING = new Set([
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

/** Whether a tool changes something: by its annotations, or without them by the verb of its name. */
export function isMutating({ name, annotations }: Tool): boolean {
  if (annotations?.readOnlyHint === false || annotations?.destructiveHint === true) return true;
  const [verb = ''] = name.split(/[_.-]/);
  return !READING.has(verb.toLowerCase());
}
