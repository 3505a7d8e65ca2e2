/** API versions of manifests against a range of Kubernetes versions. */
import type { KubeObject } from '../../../kube/api/types.ts';
import { isCoreApi } from '../../../kube/manifests/core-api.ts';
import { nameOf } from '../../../kube/manifests/objects.ts';
import { selectedNothing } from '../select.ts';
import { nothingWrong, type PredicateResult } from '../result.ts';

/** Minor versions of Kubernetes 1.x. */
interface ApiLife {
  since: number;
  deprecated?: number;
  removed?: number;
}

/**
 * From Kubernetes' "Deprecated API Migration Guide" and the release notes: APIs that were deprecated or removed in 1.16 or later, and APIs
 * introduced after 1.19. An API that is not listed and has a stable version is older.
 */
const LIVES: Readonly<Record<string, ApiLife>> = {
  'extensions/v1beta1 *': { since: 1, deprecated: 8, removed: 16 },
  'extensions/v1beta1 Ingress': { since: 1, deprecated: 14, removed: 22 },
  'apps/v1beta1 *': { since: 6, deprecated: 8, removed: 16 },
  'apps/v1beta2 *': { since: 8, deprecated: 9, removed: 16 },
  'networking.k8s.io/v1beta1 Ingress': { since: 14, deprecated: 19, removed: 22 },
  'networking.k8s.io/v1beta1 IngressClass': { since: 18, deprecated: 19, removed: 22 },
  'batch/v1beta1 CronJob': { since: 8, deprecated: 21, removed: 25 },
  'batch/v1 CronJob': { since: 21 },
  'policy/v1beta1 PodDisruptionBudget': { since: 5, deprecated: 21, removed: 25 },
  'policy/v1beta1 PodSecurityPolicy': { since: 10, deprecated: 21, removed: 25 },
  'policy/v1 PodDisruptionBudget': { since: 21 },
  'discovery.k8s.io/v1beta1 EndpointSlice': { since: 17, deprecated: 21, removed: 25 },
  'discovery.k8s.io/v1 EndpointSlice': { since: 21 },
  'events.k8s.io/v1beta1 Event': { since: 8, deprecated: 19, removed: 25 },
  'autoscaling/v2beta1 HorizontalPodAutoscaler': { since: 8, deprecated: 22, removed: 25 },
  'autoscaling/v2beta2 HorizontalPodAutoscaler': { since: 12, deprecated: 23, removed: 26 },
  'autoscaling/v2 HorizontalPodAutoscaler': { since: 23 },
  'node.k8s.io/v1beta1 RuntimeClass': { since: 14, deprecated: 20, removed: 25 },
  'node.k8s.io/v1 RuntimeClass': { since: 20 },
  'rbac.authorization.k8s.io/v1beta1 *': { since: 6, deprecated: 17, removed: 22 },
  'scheduling.k8s.io/v1beta1 PriorityClass': { since: 11, deprecated: 14, removed: 22 },
  'storage.k8s.io/v1beta1 *': { since: 6, deprecated: 19, removed: 22 },
  'storage.k8s.io/v1beta1 CSIStorageCapacity': { since: 19, deprecated: 24, removed: 27 },
  'storage.k8s.io/v1 CSIStorageCapacity': { since: 24 },
  'admissionregistration.k8s.io/v1beta1 *': { since: 9, deprecated: 16, removed: 22 },
  'admissionregistration.k8s.io/v1 ValidatingAdmissionPolicy': { since: 30 },
  'apiextensions.k8s.io/v1beta1 CustomResourceDefinition': { since: 7, deprecated: 16, removed: 22 },
  'coordination.k8s.io/v1beta1 Lease': { since: 12, deprecated: 19, removed: 22 },
  'v1 Endpoints': { since: 0, deprecated: 33 },
};

/**
 * `oldest` has the API of every object, and no version up to `newest` deprecates or removes it.
 *
 * @param oldest `1.24`, also `v1.24.3`
 */
export function apisServed(
  objects: readonly KubeObject[],
  { oldest, newest }: { oldest: string; newest: string },
): PredicateResult {
  const [from, to] = [minorOf(oldest), minorOf(newest)];
  const expected = `only APIs that Kubernetes 1.${from} has and 1.${to} has not deprecated`;
  if (objects.length === 0) return selectedNothing(expected, 'there are no objects');
  const complaints = objects.flatMap((object) => {
    const why = problemOf(object, from, to);
    return why === undefined ? [] : [`${nameOf(object)} is of ${object.apiVersion}, which ${why}`];
  });
  const apis = new Set(objects.map(({ apiVersion, kind }) => `${apiVersion} ${kind}`));
  return { ...nothingWrong(expected, complaints), observed: [[...apis].join(', ')] };
}

/**
 * Objects whose API this version of Kubernetes has, but will remove: one line for each, with the version that removes it where it is known.
 *
 * @param version of the cluster, `v1.36.3`
 */
export function deprecatedApis(objects: readonly KubeObject[], version: string): string[] {
  const minor = minorOf(version);
  return objects.flatMap((object) => {
    const { deprecated = Infinity, removed } = lifeOf(object) ?? { since: 0 };
    if (deprecated > minor) return [];
    const end = removed === undefined ? '' : ` and removed in 1.${removed}`;
    return [`${nameOf(object)} is of ${object.apiVersion}, which is deprecated since 1.${deprecated}${end}`];
  });
}

function lifeOf({ apiVersion, kind }: KubeObject): ApiLife | undefined {
  return LIVES[`${apiVersion} ${kind}`] ?? LIVES[`${apiVersion} *`];
}

function problemOf(object: KubeObject, from: number, to: number): string | undefined {
  const { apiVersion } = object;
  const life = lifeOf(object);
  if (!life) {
    // The table has all beta APIs of Kubernetes' own groups that lived for several releases.
    return isCoreApi(apiVersion) && /\d(?:alpha|beta)\d/.test(apiVersion)
      ? 'is not a stable version'
      : undefined;
  }
  const { since, deprecated = Infinity, removed = Infinity } = life;
  if (since > from) return `exists only since 1.${since}`;
  if (removed <= to) return `was removed in 1.${removed}`;
  return deprecated <= to ? `is deprecated since 1.${deprecated}` : undefined;
}

function minorOf(version: string): number {
  const minor = /^v?1\.(\d+)/.exec(version)?.[1];
  if (minor === undefined) throw new Error(`${version} is not a Kubernetes version`);
  return Number(minor);
}
