/** The image that a container runs. */
import type { Pod } from '../../../kube/api/types.ts';
import type { PredicateResult } from '../result.ts';

/**
 * The container runs the image with this digest.
 *
 * @param digest `sha256:…` of the manifest or of the configuration: runtimes report one of them, depending on how the image was loaded
 */
export function imageIdMatches(
  pods: readonly Pod[],
  container: string,
  digest: string | readonly string[],
): PredicateResult {
  const wanted = typeof digest === 'string' ? [digest] : digest;
  const running = pods.map((pod) => {
    const status = pod.status?.containerStatuses?.find((s) => s.name === container);
    const policy = pod.spec.containers.find((c) => c.name === container)?.imagePullPolicy;
    return { pod: pod.metadata.name, id: status?.imageID ?? 'no status', image: status?.image ?? '', policy };
  });
  const wrong = running.filter((l) => !wanted.some((d) => l.id.endsWith(d)));
  return {
    ok: running.length > 0 && wrong.length === 0,
    expected: `container ${container} runs ${wanted.join(' or ')}`,
    actual: [...new Set(running.map((l) => l.id))].join(', ') || 'no pods',
    observed: running.map((l) => `${l.pod}: ${l.image} = ${l.id}`),
    details: wrong.map(
      (l) =>
        `${l.pod} runs ${l.id}${l.policy === 'Always' ? ': its pull policy is Always, so it runs what the registry has, not what the node has' : ''}`,
    ),
  };
}
