import { describe, expect, it } from 'vitest';
import type {
  ExecResult,
  ExecSession,
  ExecSessionOptions,
  KubeClient,
} from '../../../harness/kube/api/client.ts';
import type { Pod } from '../../../harness/kube/api/types.ts';
import { sleepingClock } from '../../../harness/testing/sleeping-clock.ts';
import { openSession, type McpSession, type SessionOptions } from './mcp-session.ts';

interface FakeAgent {
  session: McpSession;
  options: ExecSessionOptions;
  /** Input that the agent received, and operations on its connection. */
  heard: string[];
  /** Runs the deferred functions in reverse, as at the end of a check. */
  endCheck: () => Promise<void>;
}

/** How an agent reacts to a line: what it writes, or how it ends. */
type Behaviour = (line: string, end: (exitCode: number, stderr?: string) => void) => string | undefined;

const pod: Pod = {
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name: 'agent-x', namespace: 'ns' },
  spec: { nodeName: 'node-1', containers: [{ name: 'agent', image: 'agent:1' }] },
};

async function start(
  behaviour: Behaviour,
  /** `endsWith`: it exits at once with 1 and this text; its terminal still echoes input. */
  { endsWith, ...options }: SessionOptions & { endsWith?: string } = {},
): Promise<FakeAgent> {
  const heard: string[] = [];
  const out = { stdout: '', stderr: '' };
  const undo: (() => Promise<void>)[] = [];
  const seen: { options?: ExecSessionOptions } = {};
  let settle: { resolve: (result: ExecResult) => void; reject: (error: Error) => void } | undefined;
  const ended = new Promise<ExecResult>((resolve, reject) => (settle = { resolve, reject }));
  const end = (exitCode: number, stderr = ''): void => {
    out.stderr += stderr;
    settle?.resolve({ exitCode, ...out });
  };
  const exec: ExecSession = {
    canEndInput: true,
    write: (input) => {
      heard.push(input);
      if (endsWith !== undefined) out.stdout += endsWith;
      if (options.tty) out.stdout += input.replaceAll('\n', '\r\n');
      if (endsWith !== undefined) return end(1);
      if (input === '\u0004') return end(0);
      const answer = behaviour(input.trim(), end);
      if (answer !== undefined) out.stdout += `${answer}${options.tty ? '\r\n' : '\n'}`;
    },
    endInput: () => {
      heard.push('(end)');
      end(0);
    },
    drop: () => {
      heard.push('(drop)');
      settle?.reject(new Error('dropped'));
    },
    output: () => ({ ...out }),
    ended,
  };
  const kube: Partial<KubeClient> = {
    openExec: (given) => {
      seen.options = given;
      return Promise.resolve(exec);
    },
  };
  const host = {
    kube: kube as KubeClient,
    defer: (_: string, action: () => Promise<void>) => void undo.unshift(action),
  };
  const session = await openSession(host, pod, options);
  if (!seen.options) throw new Error('nothing was executed');
  return {
    session,
    options: seen.options,
    heard,
    endCheck: async () => {
      for (const action of undo) await action();
    },
  };
}

/** Answers every request with an empty result. */
const agreeable: Behaviour = (line) => {
  const { id } = JSON.parse(line) as { id?: unknown };
  return id === undefined ? undefined : JSON.stringify({ jsonrpc: '2.0', id, result: {} });
};

const initialized = {
  protocolVersion: '2025-06-18',
  capabilities: { tools: {} },
  serverInfo: { name: 'a', version: '1' },
};

describe('a session', () => {
  it('runs the documented command in the documented container', async () => {
    const { options } = await start(agreeable);
    expect(options).toMatchObject({
      namespace: 'ns',
      pod: 'agent-x',
      container: 'agent',
      command: ['/agent', '--mode=read-only'],
      stdin: true,
      tty: false,
    });
  });

  it('initializes and confirms', async () => {
    const { session, heard } = await start((line) =>
      line.includes('"initialize"')
        ? `{"jsonrpc":"2.0","id":1,"result":${JSON.stringify(initialized)}}`
        : undefined,
    );
    expect(await session.initialize()).toMatchObject({ serverInfo: { name: 'a' } });
    expect(heard.at(-1)).toBe('{"jsonrpc":"2.0","method":"notifications/initialized"}\n');
  });

  it('names what is missing in the answer to initialize', async () => {
    const { session } = await start(agreeable);
    await expect(session.initialize()).rejects.toThrow(/answer to initialize .*serverInfo/);
  });

  it.each([false, true])('matches answers by id, in any order; terminal: %s', async (tty) => {
    const asked: string[] = [];
    const { session } = await start(
      (line) => {
        asked.unshift(line);
        return asked.length === 2 ? asked.map((one) => agreeable(one, () => {})).join('\n') : undefined;
      },
      { tty },
    );
    const ids = [session.ask('a'), session.ask('b', {}, 'text')];
    for (const id of ids) expect(await session.answerTo(id, 'it')).toEqual({ id, result: {} });
  });

  it('does not mistake a number for a string', async () => {
    const { session } = await start(() => '{"jsonrpc":"2.0","id":"1","result":{}}');
    await expect(session.request('ping')).rejects.toThrow('last seen: an answer with id "1"');
  });

  it('reports how an agent ended that gives no answer', async () => {
    const { session } = await start((_, end) => {
      end(1, 'starting\nno GPU\n');
      return undefined;
    });
    await expect(session.request('ping')).rejects.toThrow('it exited with 1: no GPU');
  });

  it('does not mistake an echo for the last output of an agent that has ended', async () => {
    const { session } = await start(() => undefined, { tty: true, endsWith: 'no terminals here\r\n' });
    await expect(session.request('ping')).rejects.toThrow('it exited with 1: no terminals here (');
  });

  it('throws the error of a request that has to succeed', async () => {
    const { session } = await start(
      () => '{"jsonrpc":"2.0","id":1,"error":{"code":-32601,"message":"not found"}}',
    );
    await expect(session.tools()).rejects.toThrow('tools/list is answered with error -32601 not found');
  });

  it.each([
    [false, '(end)'],
    [true, '\u0004'],
  ])('ends its input, terminal %s, when the check ends', async (tty, last) => {
    const { endCheck, heard } = await start(agreeable, { tty });
    await endCheck();
    expect(heard).toEqual([last]);
  });

  it('knows when it ended', async () => {
    const { session } = await start(agreeable, { clock: { ...sleepingClock(), now: () => 4711 } });
    expect(session.endedAt).toBeUndefined();
    session.endInput();
    await session.ended('at its end', 1000);
    expect(session.endedAt).toBe(4711);
  });

  it('says what a tool returned instead of JSON', async () => {
    const { session } = await start(
      () => '{"jsonrpc":"2.0","id":1,"result":{"content":[{"type":"text","text":"2 GPUs"}]}}',
    );
    await expect(session.value('count')).rejects.toThrow('the result of count is not JSON: 2 GPUs');
  });

  it('is not ended again at the end of the check', async () => {
    const { session, endCheck, heard } = await start(agreeable);
    session.endInput();
    expect((await session.ended('at its end', 1000)).exitCode).toBe(0);
    await endCheck();
    expect(heard).toEqual(['(end)']);
  });
});
