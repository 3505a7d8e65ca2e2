import { describe, expect, it } from 'vitest';
import { registryObjects } from '../../../fixtures/testing/registry-objects.ts';
import type { HttpAnswer, KubeClient } from '../../../harness/kube/api/client.ts';
import type { Pod } from '../../../harness/kube/api/types.ts';
import type { Release } from '../../../harness/run/suite/release.ts';
import { PROXY_ERROR_HEADER } from '../../../harness/kube/api/proxy.ts';
import { callUntilGone } from './calls-in-flight.ts';

const pod = {
  metadata: { name: 'web-1', uid: 'u1' },
  spec: { terminationGracePeriodSeconds: 1, containers: [] },
} as unknown as Pod;

function release(answers: (HttpAnswer | Error)[], looks: (Pod | undefined)[]): Release {
  const kube: Partial<KubeClient> = { get: (() => Promise.resolve(looks.shift())) as KubeClient['get'] };
  return {
    ...registryObjects(),
    kube,
    http: () => {
      const answer = answers.shift();
      return answer instanceof Error ? Promise.reject(answer) : Promise.resolve(answer);
    },
  } as unknown as Release;
}

const answer = (status: number, headers = {}): HttpAnswer => ({ status, headers, body: '{}', durationMs: 1 });

describe('callUntilGone', () => {
  it('calls until the pod is gone, and returns the outcome of each call', async () => {
    let ended = 0;
    const end = (): Promise<void> => {
      ended += 1;
      return Promise.resolve();
    };
    const successor = { ...pod, metadata: { name: 'web-1', uid: 'u2' } };
    const calls = await callUntilGone(
      release([answer(200), new Error('connection refused')], [pod, pod, successor]),
      pod,
      end,
    );
    expect(calls).toEqual([
      { query: 'call 1 to web-1', outcome: 'HTTP 200' },
      { query: 'call 2 to web-1', outcome: 'connection refused' },
    ]);
    expect(ended).toBe(1);
  });

  it('starts no call after a refused one, and still waits for the pod', async () => {
    const reason = 'error trying to reach service: dial tcp 10.0.0.7:8000: connect: connection refused';
    const calls = await callUntilGone(
      release(
        [answer(200), answer(503, { [PROXY_ERROR_HEADER]: reason }), answer(500)],
        [pod, pod, pod, pod, undefined],
      ),
      pod,
      () => Promise.resolve(),
    );
    expect(calls.map(({ outcome }) => outcome)).toEqual(['HTTP 200', 'HTTP 503']);
  });
});
