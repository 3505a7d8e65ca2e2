import { describe, expect, it } from 'vitest';
import type { McpClient, McpSessionResult } from '../mcp-client/mcp-client.ts';
import { InfrastructureError } from '../../harness/core/errors.ts';
import { judged, servesMeanwhile } from './calls-meanwhile.ts';

const ok: McpSessionResult = { tools: ['a'], calls: [{ text: 'x' }] };

function clientOf(results: readonly McpSessionResult[][]): McpClient & { asked: number } {
  const client = {
    namespace: 'n',
    node: 'node',
    asked: 0,
    run: () => Promise.reject(new Error('not used')),
    talkToAll: () => Promise.reject(new Error('not used')),
    talk: async () => {
      const result = results[Math.min(client.asked, results.length - 1)] ?? [];
      client.asked += 1;
      // A call lets other things happen.
      await new Promise((resolve) => setImmediate(resolve));
      return result;
    },
  };
  return client;
}

const AT = { url: 'http://a/mcp', calls: [{ tool: 'a' }] };

const soon = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 5));

describe('servesMeanwhile', () => {
  it('calls until the change has ended, and once more', async () => {
    const client = clientOf([[ok]]);
    const { result } = await servesMeanwhile(client, AT, 'while it waits', soon);
    expect(result.ok).toBe(true);
    expect(client.asked).toBeGreaterThan(1);
    expect(result.observed?.[0]).toMatch(/^while it waits: \d+ calls answered, 0 failed$/);
  });

  it.each([
    ['a session that is refused', { ...ok, calls: [], error: 'ECONNREFUSED' }],
    ['a call that fails', { ...ok, calls: [{ error: 'ECONNREFUSED' }] }],
  ])('notices %s, also the last one', async (_title, failed) => {
    for (const results of [
      [[failed], [ok]],
      [[ok], [failed]],
    ]) {
      const { result, failed: count } = await servesMeanwhile(clientOf(results), AT, 'meanwhile', soon);
      expect(result).toMatchObject({ ok: false });
      expect(count).toBeGreaterThan(0);
      expect(result.actual).toContain('ECONNREFUSED');
    }
  });

  it('throws what the change throws', async () => {
    const change = (): Promise<never> => Promise.reject(new Error('refused'));
    await expect(servesMeanwhile(clientOf([[ok]]), AT, 'meanwhile', change)).rejects.toThrow('refused');
  });
});

describe('judged', () => {
  const result = { ok: false, expected: 'no call fails', actual: 'ECONNREFUSED' };

  it('counts what the server alone has lost', () => {
    expect(judged([{ result, failed: 2 }], 0)).toEqual([result]);
    expect(judged([{ result: { ...result, ok: true }, failed: 0 }], 5)).toMatchObject([{ ok: true }]);
  });

  it('knows nothing when the control lost requests, too', () => {
    expect(() => judged([{ result, failed: 2 }], 1)).toThrow(InfrastructureError);
  });
});
