/** What agents get of the server: the tools that a session lists. */
import { waitFor, WaitTimeout } from '../../harness/core/deadline.ts';
import { DoesNotFit } from '../../harness/core/errors.ts';
import { expect } from '../../harness/run/suite/assertions.ts';
import type { Lab } from '../../harness/run/suite/lab.ts';
import type { Release } from '../../harness/run/suite/release.ts';
import { admit } from '../any-chart/network-policies.ts';
import { startMcpClient, type McpClient, type McpSessionResult } from '../mcp-client/mcp-client.ts';
import { serviceAddress } from './server-pods.ts';

const CONNECTS = `const [host, port] = process.argv.slice(1);
const socket = require('node:net').connect(Number(port), host, () => process.exit(0));
socket.setTimeout(3000, () => process.exit(1));
socket.on('error', () => process.exit(1));`;

/** Starts an agent in a namespace of its own. Network policies of the release have admitted it, unless the server does not listen. */
export async function startAgent(lab: Lab, release: Release): Promise<McpClient> {
  const client = await startMcpClient(lab);
  if (!(await admit(lab, release, client.namespace))) return client;
  const { host, port } = await serviceAddress(release);
  await waitFor<undefined>({
    what: 'the network policies to admit the agent',
    timeoutMs: 60_000,
    look: async () => {
      const { exitCode } = await client.run(['node', '-e', CONNECTS, host, String(port)]);
      return exitCode === 0 ? { done: true, value: undefined } : { done: false, seen: 'no connection' };
    },
  }).catch((error: unknown) => {
    // The calls of the check say what is wrong.
    if (!(error instanceof WaitTimeout)) throw error;
  });
  return client;
}

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
