import { describe, expect, it } from 'vitest';
import { registryObjects } from '../../../fixtures/testing/registry-objects.ts';
import { makePod } from '../../../harness/testing/sample-world.ts';
import type { HttpAnswer } from '../../../harness/kube/api/client.ts';
import { PROXY_ERROR_HEADER } from '../../../harness/kube/api/proxy.ts';
import type { Pod } from '../../../harness/kube/api/types.ts';
import type { Release } from '../../../harness/run/suite/release.ts';
import { healthy, registryApi, type RegistryApi } from './api-client.ts';

const answer = (status: number, body: unknown, headers: Record<string, string> = {}): HttpAnswer => ({
  status,
  headers,
  body: JSON.stringify(body),
  durationMs: 1,
});
const noEndpoint = answer(503, {}, { [PROXY_ERROR_HEADER]: 'no endpoints available for service "x"' });
const tools = answer(200, { tools: [{ name: 'a' }] });

/** A registry that gives these answers in turn. */
function apiOf(answers: HttpAnswer[], pod?: Pod): RegistryApi {
  const http = (): Promise<HttpAnswer> => Promise.resolve(answers.shift()!);
  return registryApi({ ...registryObjects(), http } as unknown as Release, pod);
}

describe('registryApi', () => {
  it('waits until the API server knows a ready replica', async () => {
    expect(await apiOf([noEndpoint, tools]).listTools()).toEqual(['a']);
  });

  it.each<[string, HttpAnswer[], Pod | undefined]>([
    ['an answer of the application itself', [answer(503, { detail: 'no database' }), tools], undefined],
    ['an answer of a named pod', [noEndpoint, tools], makePod({})],
  ])('does not retry %s', async (_what, answers, pod) => {
    await expect(apiOf(answers, pod).listTools()).rejects.toThrow(/answered 503, not as documented/);
  });

  it('waits for a healthy answer, through errors of the API server and the application', async () => {
    const late = answer(504, {}, { [PROXY_ERROR_HEADER]: 'no complete answer within 20.0 s' });
    const unwell = answer(503, { status: 'unhealthy', database: false });
    const well = answer(200, { status: 'healthy', database: true });
    expect(await healthy(apiOf([late, unwell, well], makePod({})))).toMatchObject({ status: 200 });
  });

  it('returns gaps to callers that ask for any answer', async () => {
    expect((await apiOf([noEndpoint, tools]).ask('GET', '/health')).status).toBe(503);
  });
});
