import { describe, expect, it } from 'vitest';
import { makePod } from '../../harness/testing/sample-world.ts';
import type { HttpAnswer } from '../../harness/kube/api/client.ts';
import { PROXY_ERROR_HEADER } from '../../harness/kube/api/proxy.ts';
import type { Pod } from '../../harness/kube/api/types.ts';
import type { Release } from '../../harness/run/suite/release.ts';
import { registryApi, type RegistryApi, untilHealthy } from './api-client.ts';

const answer = (status: number, body: unknown, headers: Record<string, string> = {}): HttpAnswer => ({
  status,
  headers,
  body: JSON.stringify(body),
  durationMs: 1,
});
const nobody = answer(503, {}, { [PROXY_ERROR_HEADER]: 'no endpoints available for service "x"' });
const tools = answer(200, { tools: [{ name: 'a' }] });

/** A registry that gives these answers, one after the other. */
function apiOf(answers: HttpAnswer[], pod?: Pod): RegistryApi {
  const http = (): Promise<HttpAnswer> => Promise.resolve(answers.shift()!);
  return registryApi({ http } as unknown as Release, pod);
}

describe('registryApi', () => {
  it('waits for the API server to know who is behind the Service', async () => {
    expect(await apiOf([nobody, tools]).listTools()).toEqual(['a']);
  });

  it.each<[string, HttpAnswer[], Pod | undefined]>([
    ['what the application itself answers', [answer(503, { detail: 'no database' }), tools], undefined],
    ['a pod that is asked by its name', [nobody, tools], makePod({})],
  ])('takes %s as it is', async (_what, answers, pod) => {
    await expect(apiOf(answers, pod).listTools()).rejects.toThrow(/answered 503, not as documented/);
  });

  it('is healthy once it says so, whatever the API server has said in its place', async () => {
    const late = answer(504, {}, { [PROXY_ERROR_HEADER]: 'no complete answer within 20.0 s' });
    const unwell = answer(503, { status: 'unhealthy', database: false });
    const well = answer(200, { status: 'healthy', database: true });
    expect(await untilHealthy(apiOf([late, unwell, well], makePod({})))).toMatchObject({ status: 200 });
  });

  it('tells whoever asks for gaps of every one', async () => {
    expect((await apiOf([nobody, tools]).ask('GET', '/health')).status).toBe(503);
  });
});
