/** Which image really runs, and that nobody had to fetch it. */
import type { RecordingLike } from '../../recorder/recording-like.ts';
import type { KubeEvent, Pod } from '../../../kube/api/types.ts';
import type { PredicateResult } from '../result.ts';

/**
 * The container runs the image with this digest.
 *
 * @param digest `sha256:…`, of the manifest or of the configuration: runtimes report either, depending on how the image came
 */
export function imageIdMatches(
  pods: readonly Pod[],
  container: string,
  digest: string | readonly string[],
): PredicateResult {
  const wanted = typeof digest === 'string' ? [digest] : digest;
  const looks = pods.map((pod) => {
    const status = pod.status?.containerStatuses?.find((s) => s.name === container);
    return { pod: pod.metadata.name, id: status?.imageID ?? 'no status', image: status?.image ?? '' };
  });
  const wrong = looks.filter((l) => !wanted.some((d) => l.id.endsWith(d)));
  return {
    ok: looks.length > 0 && wrong.length === 0,
    expected: `container ${container} runs ${wanted.join(' or ')}`,
    actual: [...new Set(looks.map((l) => l.id))].join(', ') || 'no pods',
    observed: looks.map((l) => `${l.pod}: ${l.image} = ${l.id}`),
    details: wrong.map((l) => `${l.pod} runs ${l.id}`),
  };
}

/** No node pulled an image for these pods: all were there before, as for a preloaded image with IfNotPresent. */
export function noPulling(recording: Pick<RecordingLike, 'changes'>, pods?: readonly Pod[]): PredicateResult {
  const names = pods && new Set(pods.map((p) => p.metadata.name));
  const events = recording.changes
    .map((c) => c.object)
    .filter((o): o is KubeEvent => o.kind === 'Event' && 'involvedObject' in o)
    .filter((e) => e.involvedObject.kind === 'Pod' && (names?.has(e.involvedObject.name) ?? true));
  const pulling = new Set(
    events.filter((e) => e.reason === 'Pulling').map((e) => `${e.involvedObject.name}: ${e.message ?? ''}`),
  );
  const present = new Set(
    events.filter((e) => e.reason === 'Pulled').map((e) => `${e.involvedObject.name}: ${e.message ?? ''}`),
  );
  return {
    // Without any Pulled event the recording missed the starts and knows nothing about pulls.
    ok: pulling.size === 0 && present.size > 0,
    expected: 'no event Pulling, only images already present',
    actual:
      pulling.size > 0
        ? `${pulling.size} pulls`
        : present.size > 0
          ? 'no pull'
          : 'the recording has no event about any image',
    observed: [...present],
    details: [...pulling],
  };
}
