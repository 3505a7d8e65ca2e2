/** Calls to a pod that is about to end: one after the other is started, until it takes no more. */
import { waitFor } from '../../harness/core/deadline.ts';
import { messageOf } from '../../harness/core/errors.ts';
import type { Pod } from '../../harness/kube/api/types.ts';
import type { Release } from '../../harness/run/suite/release.ts';
import { registryApi, wasPassedOn } from './api-client.ts';

export interface Call {
  /** Different for every call, so that the service behind the application can tell them apart. */
  query: string;
  /** `HTTP 200`, or what went wrong. */
  outcome: string;
}

const INTERVAL_MS = 300;
/** Beyond the grace period: a kubelet that is busy. */
const SLACK_MS = 60_000;

/**
 * Starts a search every 0.3 s until one is refused, and waits for all of them and for the pod to be gone.
 *
 * None is started after that: the API server keeps connections, and who goes on calling over one of them holds up the end
 * that he is waiting for.
 *
 * @param end makes the pod end; called once the first search is on its way
 */
export async function callUntilGone(release: Release, pod: Pod, end: () => Promise<void>): Promise<Call[]> {
  const { kube, namespace } = release;
  const { name, uid } = pod.metadata;
  const api = registryApi(release, pod);
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
  const calls: Promise<Call>[] = [];
  await waitFor({
    what: `pod ${name} to be gone`,
    timeoutMs: (pod.spec.terminationGracePeriodSeconds ?? 30) * 1000 + SLACK_MS,
    intervalMs: INTERVAL_MS,
    look: async () => {
      const now = await kube.get('Pod', { name, namespace });
      if (now?.metadata.uid !== uid) return { done: true, value: undefined };
      if (!refused) calls.push(call(`call ${calls.length + 1} to ${name}`));
      if (calls.length === 1) await end();
      return { done: false, seen: `${now?.status?.phase ?? 'it is there'}, ${calls.length} calls` };
    },
  });
  return Promise.all(calls);
}
