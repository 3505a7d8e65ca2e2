import { describe, expect, it } from 'vitest';
import type { McpClient, McpSessionResult } from '../mcp-client/mcp-client.ts';
import { servesMeanwhile } from './calls-meanwhile.ts';

const ok: McpSessionResult = { tools: ['a'], calls: [{ text: 'x' }] };

function clientOf(results: readonly McpSessionResult[][]): McpClient & { asked: number } {
  const client = {
    namespace: 'n',
    node: 'node',
    asked: 0,
    run: () => Promise.reject(new Error('not used')),
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

const soon = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 5));

describe('servesMeanwhile', () => {
  it('calls until the change has ended, and once more', async () => {
    const client = clientOf([[ok]]);
    const result = await servesMeanwhile(client, 'http://a/mcp', 'while it waits', soon);
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
      const result = await servesMeanwhile(clientOf(results), 'http://a/mcp', 'meanwhile', soon);
      expect(result).toMatchObject({ ok: false });
      expect(result.actual).toContain('ECONNREFUSED');
    }
  });

  it('throws what the change throws', async () => {
    const change = (): Promise<never> => Promise.reject(new Error('refused'));
    await expect(servesMeanwhile(clientOf([[ok]]), 'http://a/mcp', 'meanwhile', change)).rejects.toThrow(
      'refused',
    );
  });
});
