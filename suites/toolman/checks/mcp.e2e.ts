/** Agents in another namespace call tools through the Service, with the client of the official SDK. */
import { DoesNotFit } from '../../../harness/core/errors.ts';
import { expect } from '../../../harness/run/suite/assertions.ts';
import type { Release } from '../../../harness/run/suite/release.ts';
import { startMcpClient, type McpSessionResult } from '../../mcp-client/mcp-client.ts';
import { requirement } from '../kit.ts';

const LIST_TOOLS = 'toolman_list_available_tools';
/** Long for a call, and within the time that the client gives it. */
const LONG_SECONDS = 12;

requirement(
  'T-64',
  'lets an agent of another namespace initialize, list tools and call them through its Service',
  async ({ release, lab, observe }) => {
    const client = await startMcpClient(lab);
    const url = await urlOf(release);
    const tools = toolsOf((await client.talk({ url, calls: [{ tool: LIST_TOOLS }] }))[0]);
    expect(tools, 'tools of the server itself').toContain(LIST_TOOLS);
    const echo = ownTool(tools, 'echo');
    const wait = ownTool(tools, 'wait');
    const [session] = await client.talk({
      url,
      calls: [
        { tool: LIST_TOOLS },
        { tool: echo, arguments: { text: 'from another namespace' } },
        { tool: wait, arguments: { seconds: LONG_SECONDS } },
        { tool: 'no_such_tool' },
      ],
    });
    const [list, echoed, waited, unknown] = session?.calls ?? [];
    expect(list?.text ?? list?.error, `answer of ${LIST_TOOLS}`).toContain(echo.replace(/_echo$/, ''));
    expect(echoed, `answer of ${echo}, a tool of a stdio server`).toEqual({ text: 'from another namespace' });
    expect(waited?.error ?? '', `error of a call of ${LONG_SECONDS} s`).toBe('');
    expect(unknown?.error, 'answer to the call of an unknown tool').toMatch(/-32602|unknown|not found/i);
    observe(`${client.namespace} called ${LIST_TOOLS}, ${echo} and ${wait}`);
  },
);

requirement(
  'T-64',
  'answers calls of a tool server that dies with an error, and serves on',
  { release: 'none', disruptive: true },
  async ({ lab, observe }) => {
    const release = await lab.install({ set: ['replicaCount=1'] });
    const client = await startMcpClient(lab);
    const url = await urlOf(release);
    const tools = toolsOf((await client.talk({ url }))[0]);
    const end = ownTool(tools, 'end');
    const [session] = await client.talk({ url, calls: [{ tool: end }, { tool: LIST_TOOLS }] });
    const [ended, listed] = session?.calls ?? [];
    expect(
      ended?.error ?? `the text "${ended?.text ?? ''}"`,
      `answer of ${end}, whose server dies`,
    ).not.toMatch(/^the text|timed out/);
    expect(listed?.error ?? '', `error of ${LIST_TOOLS} after that`).toBe('');
    await expect(release.deployment()).toHaveNoRestarts();
    observe(`${end}: ${ended?.error ?? ''}`);
  },
);

async function urlOf(release: Release): Promise<string> {
  const { metadata, spec } = await release.service();
  return `http://${metadata.name}.${release.namespace}.svc.cluster.local:${spec.ports?.[0]?.port ?? 0}/mcp`;
}

/** The tools that a session listed; a session that came to nothing is a failure. */
function toolsOf(session: McpSessionResult | undefined): string[] {
  expect(session?.error ?? '', 'error of initialize or tools/list').toBe('');
  expect(session?.server?.name, 'name of the server by initialize').toMatch(/./);
  return session?.tools ?? [];
}

/** @throws DoesNotFit when no tool server has the tool: the suite's demo server has it */
function ownTool(tools: readonly string[], name: string): string {
  const tool = tools.find((one) => one.endsWith(`_${name}`));
  if (tool !== undefined) return tool;
  throw new DoesNotFit(`no tool server has the tool ${name}: there are ${tools.join(', ') || 'none'}`);
}
