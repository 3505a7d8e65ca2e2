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
    return { pod: pod.metadata.name, id: status?.imageID ?? 'no status', image: status?.image ?? '' };
  });
  const wrong = running.filter((l) => !wanted.some((d) => l.id.endsWith(d)));
  return {
    ok: running.length > 0 && wrong.length === 0,
    expected: `container ${container} runs ${wanted.join(' or ')}`,
    actual: [...new Set(running.map((l) => l.id))].join(', ') || 'no pods',
    observed: running.map((l) => `${l.pod}: ${l.image} = ${l.id}`),
    details: wrong.map((l) => `${l.pod} runs ${l.id}`),
  };
}
