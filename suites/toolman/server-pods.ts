/** The pods of the server. A worker or a database of the release is not the server. */
import type { Pod } from '../../harness/kube/api/types.ts';
import type { Release } from '../../harness/run/suite/release.ts';
import { serverOf } from './server.ts';

/** The pods of the workload that plays the server. */
export function serverPods(release: Release): Promise<Pod[]> {
  return serverOf(release).pods();
}

/** The first of them. */
export function serverPod(release: Release): Promise<Pod> {
  return release.pod(serverOf(release));
}
