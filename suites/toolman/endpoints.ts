/** Whom the Service of a release leads to, as far as the control plane has got. */
import type { EndpointSlice } from '../../harness/kube/api/types.ts';
import type { Release } from '../../harness/run/suite/release.ts';

/** The EndpointSlices of the release's Service `toolman`. */
export async function endpointSlices(release: Release): Promise<EndpointSlice[]> {
  const { metadata } = await release.service('toolman');
  return release.kube.list('EndpointSlice', {
    namespace: release.namespace,
    labelSelector: `kubernetes.io/service-name=${metadata.name}`,
  });
}

/** Names of the pods that get traffic through the Service. */
export async function readyEndpoints(release: Release): Promise<string[]> {
  const endpoints = (await endpointSlices(release)).flatMap((slice) => slice.endpoints ?? []);
  return endpoints.filter((e) => e.conditions?.ready === true).map((e) => e.targetRef?.name ?? '?');
}
