/** What agents get of the server: the tools that a session lists. */
import { DoesNotFit } from '../../harness/core/errors.ts';
import { expect } from '../../harness/run/suite/assertions.ts';
import type { McpSessionResult } from '../mcp-client/mcp-client.ts';

/** The tools that a session listed; a session that came to nothing is a failure. */
export function toolsOf(session: McpSessionResult | undefined): string[] {
  expect(session?.error ?? '', 'error of initialize or tools/list').toBe('');
  expect(session?.server?.name ?? '', 'name of the server by initialize').not.toBe('');
  return session?.tools ?? [];
}

/** @throws DoesNotFit when no tool server has the tool: the suite's demo server has it */
export function ownTool(tools: readonly string[], name: string): string {
  const tool = tools.find((one) => one.endsWith(`_${name}`));
  if (tool !== undefined) return tool;
  throw new DoesNotFit(`no tool server has the tool ${name}: there are ${tools.join(', ') || 'none'}`);
}
