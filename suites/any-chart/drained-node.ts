/** Drains a node of the pods of a release, as `kubectl drain` does: it is cordoned, and its pods are evicted all at once. */
import { cordonNode, uncordonNode } from '../../clusters/cleanup/cordons.ts';
import { WaitTimeout } from '../../harness/core/deadline.ts';
import { RUN_LABEL } from '../../harness/core/run-id.ts';
import { ApiError } from '../../harness/kube/api/errors.ts';
import type { KubeClient } from '../../harness/kube/api/client.ts';
import type { Node, Pod } from '../../harness/kube/api/types.ts';
import { field } from '../../harness/kube/manifests/objects.ts';
import { nodeSelected } from '../../harness/observe/diagnose/node-fit.ts';
import { podEvicted } from '../../harness/observe/waits/pod-evicted.ts';
import { podGone } from '../../harness/observe/waits/pod-end.ts';
import type { Lab } from '../../harness/run/suite/lab.ts';
import { notAboutSubject } from '../../harness/run/suite/not-about-subject.ts';

/** A claim whose volume only one node can mount. */
export interface TiedClaim {
  claim: string;
  pod: string;
  namespace: string;
  says: string;
}

/**
 * Makes the scheduler leave out a node. It is undone when the check ends, on every exit path. A check that uses this has to be `exclusive`.
 *
 * @returns undoes it at once
 */
export async function cordon(
  lab: Pick<Lab, 'kube' | 'defer' | 'labels'>,
  node: string,
): Promise<() => Promise<void>> {
  const { kube } = lab;
  const uncordon = (): Promise<void> => uncordonNode(kube.teardown, node);
  lab.defer(`uncordon ${node}`, uncordon);
  await cordonNode(kube, { node, run: lab.labels[RUN_LABEL] ?? '' });
  return uncordon;
}

/**
 * Evicts pods all at once, and waits until they are gone. A budget that waits for a pod which the storage of the cluster keeps on the node
 * is no defect of the subject: that eviction is given up.
 *
 * @param ties claims of these pods that keep others from taking their place
 * @returns a sentence for each pod that was not evicted
 * @throws WaitTimeout when an eviction is never allowed
 */
export async function drained(
  kube: KubeClient,
  pods: readonly Pod[],
  ties: readonly TiedClaim[],
): Promise<string[]> {
  const left = await Promise.all(
    pods.map(async (pod): Promise<string[]> => {
      let tied: string | undefined;
      try {
        await podEvicted(kube, pod, { unless: async () => (tied = await waitsForStorage(kube, ties)) });
      } catch (error) {
        if (!(error instanceof WaitTimeout) || tied === undefined) throw error;
        return [`pod ${pod.metadata.name} was not evicted, because a budget waits for another one: ${tied}`];
      }
      // How it ends is X-25's question.
      await notAboutSubject('E_NOT_STOPPED', 'an evicted pod does not end', () => podGone(kube, pod));
      return [];
    }),
  );
  return left.flat();
}

/** The claim for which a pod waits in vain; `undefined` when none does. */
async function waitsForStorage(kube: KubeClient, ties: readonly TiedClaim[]): Promise<string | undefined> {
  for (const { claim, namespace, says } of ties) {
    const pods = await kube.list('Pod', { namespace });
    const waits = pods.some(
      (pod) =>
        pod.status?.phase === 'Pending' && pod.spec.nodeName === undefined && claimsOf(pod).includes(claim),
    );
    if (waits) return says;
  }
  return undefined;
}

/** The claims of pods whose volumes only this node can mount, by the node affinity of the volumes. */
export async function tiesTo(
  kube: KubeClient,
  node: string,
  { pods, nodes }: { pods: readonly Pod[]; nodes: readonly Node[] },
): Promise<TiedClaim[]> {
  const others = nodes.filter(({ metadata }) => metadata.name !== node);
  const found = await Promise.all(
    pods.flatMap((pod) =>
      claimsOf(pod).map(async (claim): Promise<TiedClaim[]> => {
        const { name, namespace = '' } = pod.metadata;
        const spec = (await kube.get('PersistentVolumeClaim', { name: claim, namespace }))?.['spec'];
        const affinity = await affinityOfVolume(kube, field(spec, 'volumeName'));
        if (affinity === undefined || others.some((other) => nodeSelected({ affinity }, other))) return [];
        const modes = field(spec, 'accessModes');
        const mode = Array.isArray(modes) ? ` (${modes.join(', ')})` : '';
        const says = `claim ${claim}${mode} ties pod ${name} to node ${node}, where its volume is`;
        return [{ claim, pod: name, namespace, says }];
      }),
    ),
  );
  return found.flat();
}

/** As the affinity of a pod. */
async function affinityOfVolume(
  kube: KubeClient,
  name: unknown,
): Promise<Record<string, unknown> | undefined> {
  if (typeof name !== 'string') return undefined;
  try {
    const volume = await kube.get({ apiVersion: 'v1', kind: 'PersistentVolume' }, { name });
    const required = field(field(volume?.['spec'], 'nodeAffinity'), 'required');
    if (required === undefined) return undefined;
    return { nodeAffinity: { requiredDuringSchedulingIgnoredDuringExecution: required } };
  } catch (error) {
    // Not everybody may read what lies in no namespace.
    if (error instanceof ApiError) return undefined;
    throw error;
  }
}

function claimsOf({ spec }: Pod): string[] {
  return (spec.volumes ?? []).flatMap(({ persistentVolumeClaim: claim }) => claim?.claimName ?? []);
}
