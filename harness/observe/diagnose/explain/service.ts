/** Explains why a Service has no endpoints. */
import { matchesLabels, selectorText } from '../../../kube/api/selectors.ts';
import type { Pod, Service, Workload } from '../../../kube/api/types.ts';
import type { Cause } from '../diagnosis.ts';
import { HINT } from './hints.ts';
import { listed } from '../../../core/wording.ts';
import type { Explanation, World } from '../world.ts';
import { RANK } from '../world.ts';

/** @returns undefined for a Service whose pods are not ready: they explain it themselves */
export function explainService(service: Service, world: World): Explanation | undefined {
  const { selector } = service.spec;
  if (!selector || Object.keys(selector).length === 0 || service.spec.type === 'ExternalName')
    return undefined;
  const object = `Service ${service.metadata.name}`;
  const living = world.pods.filter((p) => p.metadata.deletionTimestamp === undefined);
  const selected = living.filter((p) => matchesLabels(selector, p.metadata.labels));
  if (selected.length === 0) {
    if (living.length === 0) return undefined;
    return {
      causes: [
        { object, says: `selects no pod: no pod has all of ${selectorText({ matchLabels: selector })}` },
        ...differences(selector, living),
      ],
      hint: HINT.selector,
      rank: RANK.service,
    };
  }
  const [pod] = selected;
  const missing = pod ? missingPorts(service, pod) : [];
  if (missing.length === 0 || !pod) return undefined;
  const names = pod.spec.containers.flatMap((c) => (c.ports ?? []).flatMap((p) => p.name ?? []));
  return {
    causes: [
      {
        object,
        says: `has no endpoints for ${missing.length === 1 ? 'port' : 'ports'} ${listed(missing)}: no container has a port with that name`,
      },
      {
        object: `Pod ${pod.metadata.name}`,
        says:
          names.length === 0
            ? 'has no named port'
            : `has ${names.length === 1 ? 'only the port' : 'only the ports'} ${listed(names)}`,
      },
    ],
    hint: HINT.targetPort,
    rank: RANK.service,
  };
}

/**
 * A Service that selects the pods of several workloads. Often this is meant; otherwise some of its requests end at pods that do not serve
 * them.
 */
export function explainSharedService({ metadata, spec }: Service, world: World): Explanation | undefined {
  const { selector } = spec;
  if (!selector || Object.keys(selector).length === 0) return undefined;
  const selected = world.workloads.filter(
    (workload) =>
      (workload.kind !== 'ReplicaSet' || !workload.metadata.ownerReferences?.length) &&
      matchesLabels(selector, labelsOf(workload)),
  );
  if (selected.length < 2) return undefined;
  const titles = selected.map(({ kind, metadata: { name } }) => `${kind} ${name}`);
  const own = selected.map((workload) =>
    Object.entries(labelsOf(workload)).filter(([key, value]) =>
      selected.every((other) => other === workload || labelsOf(other)[key] !== value),
    ),
  );
  return {
    causes: [
      {
        object: `Service ${metadata.name}`,
        says: `(${selectorText({ matchLabels: selector })}) selects the pods of ${listed(titles)}: each of them that is ready and has its port gets requests, also where nothing listens`,
      },
      ...titles.flatMap((object, i) => {
        const labels = (own[i] ?? []).map(([key, value]) => `${key}=${value}`);
        return labels.length === 0 ? [] : [{ object, says: `alone has ${listed(labels)}` }];
      }),
    ],
    hint: HINT.sharedService,
    rank: RANK.circumstance,
  };
}

function labelsOf({ spec }: Workload): Record<string, string> {
  return spec.template.metadata?.labels ?? {};
}

/** The labels in which the closest pod differs from the selector. */
function differences(selector: Readonly<Record<string, string>>, pods: readonly Pod[]): Cause[] {
  const off = (pod: Pod): string[] =>
    Object.keys(selector).filter((key) => pod.metadata.labels?.[key] !== selector[key]);
  const likeness = (pod: Pod): number =>
    off(pod).reduce((sum, key) => sum + alike(pod.metadata.labels?.[key] ?? '', selector[key] ?? ''), 0);
  const nearest = [...pods].sort((a, b) => off(a).length - off(b).length || likeness(b) - likeness(a))[0];
  if (!nearest) return [];
  const texts = off(nearest).map((key) => {
    const has = nearest.metadata.labels?.[key];
    return `${key} is ${has === undefined ? 'absent' : `"${has}"`} instead of "${selector[key] ?? ''}"`;
  });
  return [{ object: `Pod ${nearest.metadata.name}`, says: `is the closest match: ${listed(texts)}` }];
}

/** Length of the common prefix: enough to find the pod that a typo missed. */
function alike(a: string, b: string): number {
  let length = 0;
  while (length < a.length && a[length] === b[length]) length += 1;
  return length;
}

/** Named target ports that no container of the pod declares. */
function missingPorts(service: Service, pod: Pod): string[] {
  const named = new Set(pod.spec.containers.flatMap((c) => (c.ports ?? []).flatMap((p) => p.name ?? [])));
  return (service.spec.ports ?? []).flatMap(({ targetPort }) =>
    typeof targetPort === 'string' && !/^\d+$/.test(targetPort) && !named.has(targetPort)
      ? [`"${targetPort}"`]
      : [],
  );
}
