/** Which pods a Service leads to, by its EndpointSlices and by who answers. */
import type { KubeClient, ObjectRef } from '../../harness/kube/api/client.ts';
import type { EndpointSlice, Pod } from '../../harness/kube/api/types.ts';
import type { PredicateResult } from '../../harness/observe/predicates/result.ts';
import type { McpClient } from '../mcp-client/mcp-client.ts';
import { atEndpoint, INFO, needTool, podOfAnswer } from './answers.ts';

export function slicesOf(kube: KubeClient, { name, namespace }: ObjectRef): Promise<EndpointSlice[]> {
  return kube.list('EndpointSlice', { namespace, labelSelector: `kubernetes.io/service-name=${name}` });
}

/** The Service knows the pod, and gives it no traffic. Final as soon as the pod gets some: nothing will change that. */
export function isLeftOut(
  service: string,
  slices: readonly EndpointSlice[],
  { metadata: { name } }: Pick<Pod, 'metadata'>,
): PredicateResult {
  const expected = `Service ${service} gives pod ${name} no traffic, because it is not ready`;
  const own = slices
    .flatMap(({ endpoints }) => endpoints ?? [])
    .filter(({ targetRef }) => targetRef?.kind === 'Pod' && targetRef.name === name);
  if (own.length === 0) return { ok: false, expected, actual: `it does not know pod ${name}` };
  // Unset means ready (EndpointConditions, discovery.k8s.io/v1).
  const open = own.filter(({ conditions }) => conditions?.ready !== false);
  return open.length === 0
    ? { ok: true, expected, actual: 'its endpoint is not ready' }
    : {
        ok: false,
        isFinal: true,
        expected,
        actual: `pod ${name} (${open.flatMap(({ addresses }) => addresses).join(', ')}) gets traffic although it is not ready`,
      };
}

export interface Answers {
  /** Names of the pods that answered, one for each call. */
  pods: string[];
  errors: string[];
}

const SESSIONS = 4;

/**
 * Calls the server over new connections, each of which the Service leads to a pod.
 *
 * @param calls a multiple of 4
 * @throws DoesNotFit when the answers of the server do not name its pod
 */
export async function answersAt(
  client: Pick<McpClient, 'talk'>,
  url: string,
  calls: number,
): Promise<Answers> {
  const sessions = await client.talk({
    url,
    sessions: SESSIONS,
    parallel: SESSIONS,
    calls: [{ tool: INFO, times: calls / SESSIONS }],
    // An address behind which nobody is left answers nothing at all.
    timeoutMs: 5000,
  });
  for (const session of sessions) needTool(atEndpoint(session), INFO);
  const made = sessions.flatMap((session) => session.calls);
  return {
    pods: made.filter(({ error }) => error === undefined).map(({ text = '' }) => podOfAnswer(text)),
    errors: [...sessions, ...made].flatMap(({ error }) => error ?? []),
  };
}
