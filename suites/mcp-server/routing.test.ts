import { describe, expect, it } from 'vitest';
import { DoesNotFit } from '../../harness/core/errors.ts';
import type { EndpointSlice } from '../../harness/kube/api/types.ts';
import type { McpSessionResult } from '../mcp-client/mcp-client.ts';
import { answersAt, isLeftOut } from './routing.ts';

const pod = { metadata: { name: 'a' } };

function slice(...endpoints: { pod: string; ready?: boolean }[]): EndpointSlice {
  return {
    apiVersion: 'discovery.k8s.io/v1',
    kind: 'EndpointSlice',
    metadata: { name: 's' },
    addressType: 'IPv4',
    endpoints: endpoints.map(({ pod: name, ready }, at) => ({
      addresses: [`10.0.0.${at + 1}`],
      ...(ready !== undefined && { conditions: { ready } }),
      targetRef: { kind: 'Pod', name },
    })),
  };
}

describe('isLeftOut', () => {
  it('holds for a pod whose endpoint is not ready, beside others', () => {
    const slices = [slice({ pod: 'b', ready: true }), slice({ pod: 'a', ready: false })];
    expect(isLeftOut('web', slices, pod)).toMatchObject({ ok: true });
  });

  it('waits for a pod that the Service does not know yet', () => {
    const result = isLeftOut('web', [slice({ pod: 'b', ready: true })], pod);
    expect(result).toMatchObject({ ok: false, actual: 'it does not know pod a' });
    expect(result.isFinal).toBeUndefined();
  });

  it.each([[true], [undefined]])('is broken for good when the endpoint has ready %s', (ready) => {
    const slices = [slice({ pod: 'b', ready: true }, { pod: 'a', ...(ready !== undefined && { ready }) })];
    expect(isLeftOut('web', slices, pod)).toMatchObject({
      ok: false,
      isFinal: true,
      actual: 'pod a (10.0.0.2) gets traffic although it is not ready',
    });
  });
});

describe('answersAt', () => {
  const tools = ['get_server_info'];
  const told = (...sessions: McpSessionResult[]) => ({ talk: () => Promise.resolve(sessions) });
  const text = '{"pod":"a"}';

  it('names the pods that answered, and what failed', async () => {
    const client = told(
      { tools, calls: [{ text }, { error: 'ECONNREFUSED' }] },
      { tools: [], calls: [], error: 'timeout' },
    );
    expect(await answersAt(client, 'http://s', 4)).toEqual({
      pods: ['a'],
      errors: ['timeout', 'ECONNREFUSED'],
    });
  });

  it('does not fit a server that cannot name its pod', async () => {
    await expect(answersAt(told({ tools: ['other'], calls: [] }), 'http://s', 4)).rejects.toBeInstanceOf(
      DoesNotFit,
    );
  });
});
