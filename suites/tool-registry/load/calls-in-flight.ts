/** Calls to a pod that is about to end. */
import { messageOf } from '../../../harness/core/errors.ts';
import type { Pod } from '../../../harness/kube/api/types.ts';
import { podGone } from '../../../harness/observe/waits/pod-end.ts';
import type { Release } from '../../../harness/run/suite/release.ts';
import { registryApi, wasPassedOn } from '../api/api-client.ts';

export interface Call {
  /** Different for every call, so that the embedding service can tell them apart. */
  query: string;
  /** `HTTP 200`, or what went wrong. */
  outcome: string;
}

const INTERVAL_MS = 300;

/**
 * Starts a search every 0.3 s until one is refused or the pod is gone; waits for the pod to be gone and for all searches to end.
 *
 * No search follows a refused one: the API server keeps connections open, and calls over them would delay the end of the pod.
 *
 * @param end makes the pod end; called once the first search is under way
 */
export async function callUntilGone(release: Release, pod: Pod, end: () => Promise<void>): Promise<Call[]> {
  const { name } = pod.metadata;
  const api = registryApi(release, pod);
  const calls: Promise<Call>[] = [];
  let refused = false;
  const call = async (query: string): Promise<Call> => {
    try {
      const answer = await api.ask('POST', '/mcp/find_tool', { query });
      refused ||= !wasPassedOn(answer);
      return { query, outcome: `HTTP ${answer.status}` };
    } catch (error) {
      return { query, outcome: messageOf(error) };
    }
  };
  await podGone(release.kube, pod, {
    intervalMs: INTERVAL_MS,
    // A call starts only after the API server has answered, so the calls slow down with the machine.
    meanwhile: async () => {
      if (!refused) calls.push(call(`call ${calls.length + 1} to ${name}`));
      if (calls.length === 1) await end();
    },
  });
  return Promise.all(calls);
}
