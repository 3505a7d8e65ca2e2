/** Agents in another namespace call tools through the Service, with the client of the official SDK. */
import { expect } from '../../../harness/run/suite/assertions.ts';
import type { Release } from '../../../harness/run/suite/release.ts';
import { ownTool, startAgent, toolsOf } from '../agent-tools.ts';
import { requirement } from '../kit.ts';
import { withReplicas } from '../means.ts';
import { renderedServer, serverOf } from '../server.ts';
import { serviceAddress } from '../server-pods.ts';

const LIST_TOOLS = 'toolman_list_available_tools';
/** Long for a call, and within the time that the client gives it. */
const LONG_SECONDS = 12;

requirement(
  'T-64',
  'lets an agent of another namespace initialize, list tools and call them through its Service',
  async ({ release, lab, observe }) => {
    const client = await startAgent(lab, release);
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
      ],
    });
    const [list, echoed, waited] = session?.calls ?? [];
    expect(list?.text ?? list?.error, `answer of ${LIST_TOOLS}`).toContain(echo.replace(/_echo$/, ''));
    expect(echoed, `answer of ${echo}, a tool of a stdio server`).toEqual({ text: 'from another namespace' });
    expect(waited?.error ?? '', `error of a call of ${LONG_SECONDS} s`).toBe('');
    observe(`${client.namespace} called ${LIST_TOOLS}, ${echo} and ${wait}`);
  },
);

requirement(
  'T-64',
  'answers calls of an unknown tool and of a tool server that dies with an error, and serves on',
  // Of its own: the server may log such calls as errors, and the log of the shared release has to be free of them (T-41).
  { release: 'none', disruptive: true, typicalMs: 50_000 },
  async ({ lab, observe }) => {
    const server = await renderedServer(lab);
    const release = await lab.install({ patches: withReplicas(server, 1) });
    const client = await startAgent(lab, release);
    const url = await urlOf(release);
    const tools = toolsOf((await client.talk({ url }))[0]);
    const end = ownTool(tools, 'end');
    const [session] = await client.talk({
      url,
      calls: [{ tool: 'no_such_tool' }, { tool: end }, { tool: LIST_TOOLS }],
    });
    const [unknown, ended, listed] = session?.calls ?? [];
    expect(unknown?.error, 'answer to the call of an unknown tool').toMatch(/-32602|unknown|not found/i);
    expect(
      ended?.error ?? `the text "${ended?.text ?? ''}"`,
      `answer of ${end}, whose server dies`,
    ).not.toMatch(/^the text|timed out/);
    expect(listed?.error ?? '', `error of ${LIST_TOOLS} after that`).toBe('');
    await expect(serverOf(release)).toHaveNoRestarts();
    observe(`${end}: ${ended?.error ?? ''}`);
  },
);

async function urlOf(release: Release): Promise<string> {
  const { host, port } = await serviceAddress(release);
  return `http://${host}:${port}/mcp`;
}
