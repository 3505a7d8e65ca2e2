/** Files that the check writes to the claims of pods, and looks for in the pods that mount the claims later. */
import { filesOf } from '../../clusters/nodes/container-files.ts';
import { runningContainersOf } from '../../clusters/nodes/container-memory.ts';
import type { Pod } from '../../harness/kube/api/types.ts';
import type { NodeAccess } from '../../harness/kube/cluster/cluster.ts';

/** A script that empties its folder with a wildcard must not overlook them, so their names have no leading dot. */
const MARKER = 'kindproof-marker';

/** A file in a claim. */
export interface ClaimMarker {
  /** Of the workload: `Deployment web`. */
  title: string;
  namespace: string;
  claim: string;
  /** Name of the volume in the pod. */
  volume: string;
  /** Where the container has mounted it, and the name of the file there. */
  path: string;
  file: string;
  /** SHA-256. */
  hash: string | undefined;
}

interface ClaimMount {
  claim: string;
  volume: string;
  container: string;
  path: string;
}

/** Writable mounts of claims that outlive the pod, by containers that run. */
function claimMounts(pod: Pod): ClaimMount[] {
  const running = runningContainersOf(pod);
  const claims = new Map(
    (pod.spec.volumes ?? []).flatMap(({ name, persistentVolumeClaim: claim }) =>
      claim && claim.readOnly !== true ? [[name, claim.claimName] as const] : [],
    ),
  );
  return [...(pod.spec.initContainers ?? []), ...pod.spec.containers]
    .filter(({ name }) => running.includes(name))
    .flatMap(({ name: container, volumeMounts = [] }) =>
      volumeMounts.flatMap(({ name: volume, mountPath: path, readOnly }) => {
        const claim = claims.get(volume);
        return claim === undefined || readOnly === true ? [] : [{ claim, volume, container, path }];
      }),
    );
}

/**
 * Writes a file to each claim that a pod mounts.
 *
 * @param observe gets a line for each mount that cannot be written to
 * @returns the files that were written
 */
export async function markClaims(
  nodes: NodeAccess,
  { title, pod }: { title: string; pod: Pod },
  observe: (text: string) => void,
): Promise<ClaimMarker[]> {
  const { name, namespace = '', uid = name } = pod.metadata;
  const written: ClaimMarker[] = [];
  for (const [index, { container, path, claim, volume }] of claimMounts(pod).entries()) {
    const files = await filesOf(nodes, pod, container);
    // Of another name in each pod: several may share a claim.
    const file = `${MARKER}-${uid.slice(0, 8)}-${index}`;
    const at = within(path, file);
    if (await files.write(at, `written by kindproof to ${path} of ${name} (${uid})`)) {
      const hash = (await files.hashes([at])).get(at);
      written.push({ title, namespace, claim, volume, path, file, hash });
    } else observe(`${title}: ${container} cannot write to ${path}`);
  }
  return written;
}

/** What became of a marker: `unmounted` when no pod mounts the claim. */
export type MarkerFate = 'kept' | 'gone' | 'changed' | 'unmounted';

/** Looks for a file in all pods that mount its claim, wherever they have mounted it. */
export async function fateOf(
  nodes: NodeAccess,
  { claim, namespace, file, hash }: ClaimMarker,
  pods: readonly Pod[],
): Promise<MarkerFate> {
  const mounts = pods.flatMap((pod) =>
    claimMounts(pod)
      .filter((mount) => mount.claim === claim && pod.metadata.namespace === namespace)
      .map((mount) => ({ ...mount, pod })),
  );
  let fate: MarkerFate = mounts.length === 0 ? 'unmounted' : 'gone';
  for (const { pod, container, path } of mounts) {
    const at = within(path, file);
    const found = (await (await filesOf(nodes, pod, container)).hashes([at])).get(at);
    if (found !== undefined && found === hash) return 'kept';
    if (found !== undefined) fate = 'changed';
  }
  return fate;
}

/** `Deployment web: a file in /data (volume data) is gone`; the caller adds since when. */
export function fateText({ title, path, volume, claim }: ClaimMarker, fate: MarkerFate): string {
  if (fate === 'unmounted') return `${title}: no pod mounts claim ${claim}, in which a file was written,`;
  const says = { kept: 'is there', gone: 'is gone', changed: 'has other content' }[fate];
  return `${title}: a file in ${path} (volume ${volume}) ${says}`;
}

function within(path: string, file: string): string {
  return `${path.replace(/\/$/, '')}/${file}`;
}
