/** Sessions with the agent, started in its pod through exec, as documented. */
import { expect } from '../../../harness/run/suite/assertions.ts';
import { agentPodOn, anyAgentPod } from '../agent-pods.ts';
import { gpuNodes } from '../gpu-nodes.ts';
import { INVENTORY_TOOL, inventoryOf } from '../sessions/inventory.ts';
import { requirement } from '../kit.ts';
import { openSession } from '../sessions/mcp-session.ts';
import { isMutating, toolOutcome } from '../sessions/session-transcript.ts';

/** For a program to end that has nothing left to do; includes its start. */
const END_MS = 30_000;
/** Error codes of JSON-RPC 2.0, section 5.1. */
const RPC = { parseError: -32_700, methodNotFound: -32_601 };

requirement(
  'G-28',
  'starts sessions through exec, with a terminal and without, and returns their exit codes',
  async ({ release, lab, observe }) => {
    const pod = await anyAgentPod(release);
    for (const tty of [false, true]) {
      const session = await openSession(lab, pod, { tty });
      const { serverInfo } = await session.initialize();
      session.endInput();
      const { exitCode } = await session.ended('at the end of its input', END_MS);
      const how = tty ? 'with a terminal' : 'without a terminal';
      expect(exitCode, `exit code of a session ${how}`).toBe(0);
      observe(`${how}: ${serverInfo.name} ${serverInfo.version}, exit code ${exitCode}`);
    }
    const refused = await openSession(lab, pod, { command: ['/agent', '--no-such-option'] });
    const { exitCode } = await refused.ended('with an unknown option', END_MS);
    expect(exitCode, 'exit code with an unknown option').toBeGreaterThan(0);
  },
);

requirement(
  'G-29',
  'speaks MCP (initialize, initialized, tools/list, tools/call), and writes nothing else to stdout',
  async ({ release, lab, observe }) => {
    const session = await openSession(lab, await anyAgentPod(release));
    const { protocolVersion, serverInfo } = await session.initialize();
    const tools = await session.tools();
    expect(
      tools.map(({ name }) => name),
      'tools',
    ).toContain(INVENTORY_TOOL);
    const outcomes = await Promise.all(
      tools.map(async ({ name }) => ({ name, ...(await session.call(name)) })),
    );
    expect(
      outcomes.filter((outcome) => 'unreadable' in outcome),
      'tools whose result does not follow the protocol',
    ).toEqual([]);
    // Ids of both types, sent at once: each answer has the id of its request.
    const ids = ['text-id', 4711].map((id) => session.ask('tools/list', {}, id));
    for (const id of ids) expect((await session.answerTo(id, 'tools/list')).result).toBeDefined();
    session.endInput();
    await session.ended('at the end of its input', END_MS);
    const { answers, noise } = session.transcript();
    expect(noise, 'lines on stdout that are not JSON-RPC').toEqual([]);
    const answered = answers.map(({ id }) => JSON.stringify(id));
    expect(answered, 'ids of the answers').toHaveLength(new Set(answered).size);
    const logged = session.stderr.trim() === '' ? 0 : session.stderr.trim().split('\n').length;
    observe(
      `${serverInfo.name}, protocol ${protocolVersion}: ${answers.length} answers on stdout, ${logged} lines of log on stderr`,
    );
  },
);

requirement(
  'G-30',
  'neither lists nor runs a tool in read-only mode that changes something',
  async ({ release, lab, observe }) => {
    const pod = await anyAgentPod(release);
    const session = await openSession(lab, pod);
    await session.initialize();
    const tools = await session.tools();
    const listed = tools.map(({ name }) => name);
    const mutating = tools.filter(isMutating).map(({ name }) => name);
    expect(mutating, 'tools of read-only mode that change something').toEqual([]);
    const operator = await openSession(lab, pod, { command: ['/agent', '--mode=operator'] });
    await operator.initialize();
    const more = (await operator.tools()).map(({ name }) => name).filter((name) => !listed.includes(name));
    // reset_gpu also when operators have no more tools.
    for (const name of new Set([...more, 'reset_gpu'])) {
      const outcome = await session.call(name);
      expect(outcome.refused, `what calling ${name} in read-only mode is refused with`).toBeTypeOf('string');
    }
    observe(
      `read-only: ${listed.join(', ')}; operator mode adds ${more.join(', ') || 'nothing'}, refused in read-only mode`,
    );
  },
);

requirement('G-30', 'rejects an unknown mode', async ({ release, lab, observe }) => {
  const pod = await anyAgentPod(release);
  const session = await openSession(lab, pod, { command: ['/agent', '--mode=bogus'] });
  const { exitCode, stdout, stderr } = await session.ended('with --mode=bogus', END_MS);
  expect(exitCode, 'exit code with --mode=bogus').toBe(1);
  expect(stdout, 'standard output with --mode=bogus').toBe('');
  observe(`exit code 1: ${stderr.trim().split('\n').at(-1) ?? ''}`);
});

requirement(
  'G-31',
  'answers invalid requests with an error, and continues the session',
  async ({ release, lab, observe }) => {
    const session = await openSession(lab, await anyAgentPod(release));
    await session.initialize();
    const expectContinues = async (after: string): Promise<void> => {
      expect((await session.tools()).length, `tools after ${after}`).toBeGreaterThan(0);
    };
    session.send('{"jsonrpc": "2.0", "id": 1,');
    const malformed = await session.answerTo(null, 'malformed JSON');
    expect(malformed.error?.code, 'error code of malformed JSON').toBe(RPC.parseError);
    await expectContinues('malformed JSON');
    const method = await session.request('no/such/method');
    expect(method.error?.code, 'error code of an unknown method').toBe(RPC.methodNotFound);
    await expectContinues('an unknown method');
    const tool = toolOutcome(await session.request('tools/call', { name: 'no_such_tool', arguments: {} }));
    expect(tool.refused, 'what an unknown tool is refused with').toBeTypeOf('string');
    await expectContinues('an unknown tool');
    observe(`${RPC.parseError}, ${RPC.methodNotFound}, and ${tool.refused ?? ''}`);
  },
);

requirement('G-34', 'serves sessions on every GPU node', async ({ release, lab, kube, observe }) => {
  const nodes = await gpuNodes(kube);
  for (const { name } of nodes) {
    const session = await openSession(lab, await agentPodOn(release, name));
    await session.initialize();
    expect((await session.tools()).length, `tools on ${name}`).toBeGreaterThan(0);
  }
  observe(`sessions on ${nodes.map(({ name }) => name).join(', ')}`);
});

requirement(
  'G-35',
  'sees all GPUs of its node',
  { needs: ['gpu-nodes'] },
  async ({ release, lab, kube, observe }) => {
    const nodes = await gpuNodes(kube);
    for (const { name, gpus } of nodes) {
      const session = await openSession(lab, await agentPodOn(release, name));
      await session.initialize();
      const { device_count: count, devices } = await inventoryOf(session);
      expect(count, `device_count on ${name}, which has ${gpus} GPUs`).toBe(gpus);
      if (devices) expect(devices.length, `devices on ${name}, which has ${gpus} GPUs`).toBe(gpus);
      observe(`${name}: ${count} of ${gpus} GPUs`);
    }
    if (new Set(nodes.map(({ gpus }) => gpus)).size === 1) {
      observe('all nodes have the same number of GPUs: a constant in the agent would not be noticed');
    }
  },
);
