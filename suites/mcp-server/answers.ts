/** What the answers of the server say about the pod behind it. */
import { z } from 'zod';
import { DoesNotFit } from '../../harness/core/errors.ts';
import type { McpSessionResult, McpTask } from '../mcp-client/mcp-client.ts';
import { MCP_PATH } from './server.ts';

/** The tool that names the pod. */
export const INFO = 'get_server_info';

const serverInfo = z.looseObject({ pod: z.string().min(1) });

/**
 * The pod that answered the tool get_server_info.
 *
 * @throws DoesNotFit when the answer does not name it: not every server knows its pod
 */
export function podOfAnswer(text: string): string {
  try {
    return serverInfo.parse(JSON.parse(text)).pod;
  } catch {
    throw new DoesNotFit(`the tool ${INFO} of the server does not name the pod that answers`);
  }
}

export type Calls = NonNullable<McpTask['calls']>;

/**
 * What a session says, as far as it is about this server.
 *
 * @throws DoesNotFit when the server is asked at a path that it does not have: MCP prescribes none
 */
export function atEndpoint(session: McpSessionResult | undefined): McpSessionResult {
  if (!session) throw new Error('the client was asked for a session and held none');
  if (/^HTTP (404|405|501)\b/.test(session.error ?? ''))
    throw new DoesNotFit(`the server has no endpoint at ${MCP_PATH}: ${session.error ?? ''}`);
  return session;
}

/** Those of the calls whose tools the server has: other servers have other tools. */
export function knownCalls({ tools }: Pick<McpSessionResult, 'tools'>, calls: Calls): Calls {
  return calls.filter(({ tool }) => tools.includes(tool));
}

/** @throws DoesNotFit when the server has no such tool; nothing is known when the session failed */
export function needTool({ tools, error }: Pick<McpSessionResult, 'tools' | 'error'>, tool: string): void {
  if (error === undefined && !tools.includes(tool)) throw new DoesNotFit(`the server has no tool ${tool}`);
}
