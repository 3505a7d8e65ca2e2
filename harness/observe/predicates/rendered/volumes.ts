/** Volumes of pods in manifests, and the containers that mount them. */
import type { KubeObject } from '../../../kube/api/types.ts';
import { allContainers, nameOf, podSpecOf, workloads } from '../../../kube/manifests/objects.ts';
import { everyOne, type OwnedContainer } from '../select.ts';
import type { PredicateResult } from '../result.ts';

/**
 * Every volume of a pod is mounted by one of its containers, and every mount has a volume. Claim templates of a StatefulSet count as
 * volumes.
 */
export function volumesAreMounted(objects: readonly KubeObject[]): PredicateResult {
  return everyOne(workloads(objects), {
    expected: 'every volume is mounted, and every mount has a volume',
    what: 'workloads',
    title: nameOf,
    wrong: (object) => {
      const containers = allContainers(podSpecOf(object) ?? { containers: [] });
      const volumes = volumeNames(object);
      const mounted = new Set(containers.flatMap(({ container }) => volumesOf(container)));
      const complaints = [
        ...volumes.filter((name) => !mounted.has(name)).map((name) => `mounts volume ${name} nowhere`),
        ...[...mounted]
          .filter((name) => !volumes.includes(name))
          .map((name) => `mounts volume ${name}, which it does not have`),
      ];
      return complaints.length === 0 ? undefined : complaints.join(', ');
    },
  });
}

function volumeNames(object: KubeObject): string[] {
  const { volumes = [] } = podSpecOf(object) ?? {};
  const { volumeClaimTemplates = [] } = (object['spec'] ?? {}) as { volumeClaimTemplates?: KubeObject[] };
  return [...volumes.map(({ name }) => name), ...volumeClaimTemplates.map(({ metadata }) => metadata.name)];
}

function volumesOf(container: OwnedContainer['container']): string[] {
  const devices = (container['volumeDevices'] ?? []) as { name: string }[];
  return [...(container.volumeMounts ?? []), ...devices].map(({ name }) => name);
}
