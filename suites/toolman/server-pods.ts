/** The pods of the server. */
import type { Pod } from '../../harness/kube/api/types.ts';
import type { Release } from '../../harness/run/suite/release.ts';

/** The pods of Deployment toolman. A worker or a database of the release is not the server; without that name, all of its pods may be. */
export function serverPods(release: Release): Promise<Pod[]> {
  const server = release.workloads().find(({ kind, name }) => kind === 'Deployment' && name === 'toolman');
  return (server ?? release).pods();
}

/** The first of them. */
export async function serverPod(release: Release): Promise<Pod> {
  const [pod] = await serverPods(release);
  return pod ?? release.pod();
}
