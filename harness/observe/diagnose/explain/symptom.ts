/** What the failure of a check itself points at, where no object of the cluster is in trouble. */
import { listed } from '../../../core/wording.ts';
import type { Service } from '../../../kube/api/types.ts';
import { HINT } from './hints.ts';
import type { Explanation, World } from '../world.ts';
import { RANK } from '../world.ts';

/** An answer of a server that does not know the session of a request. */
const LOST_SESSION =
  /session (id )?(was )?(not found|unknown|expired|terminated)|(no|unknown|invalid|missing) (valid )?session|session.{0,60}\b404\b/i;

/** @param symptom the first sentence of the failure, and what was seen */
export function explainSymptom(symptom: string, world: World): Explanation[] {
  if (!LOST_SESSION.test(symptom)) return [];
  return world.services.flatMap((service) => scattered(service, world) ?? []);
}

/** A Service that sends requests of one client to different pods. */
function scattered({ metadata, spec }: Service, { slices }: World): Explanation | undefined {
  // A headless Service has no balancing of its own.
  if (spec['sessionAffinity'] === 'ClientIP' || spec.clusterIP === 'None') return undefined;
  const ready = slices
    .filter((slice) => slice.metadata.labels?.['kubernetes.io/service-name'] === metadata.name)
    .flatMap((slice) => slice.endpoints ?? [])
    .filter(({ conditions }) => conditions?.ready !== false);
  const pods = [...new Set(ready.map(({ targetRef, addresses }) => targetRef?.name ?? addresses[0] ?? '?'))];
  if (pods.length < 2) return undefined;
  const cause = {
    object: `Service ${metadata.name}`,
    says: `has ${pods.length} ready endpoints and no sessionAffinity: a request goes to any of the pods ${listed(pods.toSorted())}, also when another pod has answered the one that opened its session`,
  };
  return { causes: [cause], hint: HINT.session, rank: RANK.service };
}
