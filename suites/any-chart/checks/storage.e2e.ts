/** Claims are bound, fit their replicas, and keep what is written to them. */
import { DoesNotFit } from '../../../harness/core/errors.ts';
import type { KubeObject, Pod } from '../../../harness/kube/api/types.ts';
import type { ModelWorkload } from '../../../harness/kube/manifests/model/model.ts';
import { lasting, modelOf } from '../../../harness/kube/manifests/model/subject-model.ts';
import { allContainers, field } from '../../../harness/kube/manifests/objects.ts';
import {
  claimsFitReplicas,
  updatesThatWait,
} from '../../../harness/observe/predicates/rendered/shared-claims.ts';
import { nothingWrong } from '../../../harness/observe/predicates/result.ts';
import { podCreated } from '../../../harness/observe/waits/pod-creation.ts';
import { podGone } from '../../../harness/observe/waits/pod-end.ts';
import { podReady } from '../../../harness/observe/waits/pod-start.ts';
import { expect } from '../../../harness/run/suite/assertions.ts';
import { fateOf, fateText, markClaims } from '../claim-markers.ts';
import { requirement } from '../kit.ts';
import { type LiveWorkload, readWorkloads, runningWorkloads } from '../live-workloads.ts';

const NAMESPACE = 'default';
const READY_MS = 600_000;

requirement(
  'X-21',
  'has its claims bound, with access modes that fit its replicas',
  async ({ release, kube, observe, note }) => {
    const found = (await runningWorkloads(release)).filter(({ model }) => model.claims.length > 0);
    if (found.length === 0) throw new DoesNotFit('no pod of the chart mounts a claim');
    const complaints: string[] = [];
    for (const { namespace, pods } of found) {
      for (const pod of pods) {
        for (const name of claimsOf(pod)) {
          const claim = await kube.get('PersistentVolumeClaim', { name, namespace });
          const phase = field(claim?.['status'], 'phase');
          const title = `claim ${name} of pod ${pod.metadata.name}`;
          if (phase !== 'Bound')
            complaints.push(`${title} ${claim ? `is ${String(phase)}` : 'does not exist'}`);
          else observe(`${title} is bound${storageOf(claim)}`);
        }
      }
    }
    await expect(nothingWrong('every claim that a pod mounts is bound', complaints)).toHold();
    const placements = found.map(({ model, pods }) => ({
      workload: model,
      nodes: [...new Set(pods.flatMap(({ spec }) => spec.nodeName ?? []))],
    }));
    await expect(claimsFitReplicas(placements)).toHold();
    updatesThatWait(found.map(({ model }) => model)).forEach(note);
  },
);

/** Names of the claims that a pod mounts: those of templates and ephemeral volumes, too. */
function claimsOf({ metadata, spec }: Pod): string[] {
  return (spec.volumes ?? []).flatMap((volume) => {
    if (volume.persistentVolumeClaim) return [volume.persistentVolumeClaim.claimName];
    return volume['ephemeral'] === undefined ? [] : [`${metadata.name}-${volume.name}`];
  });
}

function storageOf(claim: KubeObject | undefined): string {
  const modes = field(claim?.['spec'], 'accessModes');
  const storageClass = field(claim?.['spec'], 'storageClassName');
  const words = [
    Array.isArray(modes) ? modes.join(', ') : '',
    typeof storageClass === 'string' ? `class ${storageClass}` : '',
  ];
  return words.some(Boolean) ? ` (${words.filter(Boolean).join(', ')})` : '';
}

requirement(
  'X-21',
  'keeps its data when a pod is replaced',
  { release: 'none', disruptive: true, needs: ['node-access'], timeoutMs: 900_000, typicalMs: 70_000 },
  async ({ lab, kube, cluster, observe }) => {
    const { nodes } = cluster;
    if (!nodes) throw new Error('node-access is proven, and there are no nodes');
    const { objects } = await lab.render({ namespace: NAMESPACE });
    const rendered = lasting(modelOf(objects, { namespace: NAMESPACE }));
    if (rendered.every((workload) => lastingMounts(workload).length === 0))
      throw new DoesNotFit('no container of the chart mounts a claim that outlives its pod, to write to it');
    const release = await lab.install();
    const workloads = (await runningWorkloads(release)).filter(
      ({ model }) => lastingMounts(model).length > 0,
    );
    const complaints = (await Promise.all(workloads.map(lostOf))).flat();
    await expect(
      nothingWrong('what was written to a claim is there after the pod was replaced', complaints),
    ).toHold();

    /** Writes a file to each claim of a pod, replaces the pod, and names the claims that do not have the file any more. */
    async function lostOf(workload: LiveWorkload): Promise<string[]> {
      const { model, namespace, pods } = workload;
      const [pod] = pods;
      if (!pod || !nodes) return [];
      const written = await markClaims(nodes, { title: model.title, pod }, observe);
      if (written.length === 0) return [];
      await kube.delete('Pod', { name: pod.metadata.name, namespace });
      await podGone(kube, pod, { timeoutMs: ((pod.spec.terminationGracePeriodSeconds ?? 30) + 90) * 1000 });
      const successor = await successorOf(workload, pod);
      const lost: string[] = [];
      for (const marker of written) {
        const fate = await fateOf(nodes, marker, [successor]);
        if (fate !== 'kept')
          lost.push(`${fateText(marker, fate)} after pod ${pod.metadata.name} was replaced`);
        else
          observe(
            `${model.title}: ${marker.path} of ${successor.metadata.name} has what ${pod.metadata.name} wrote`,
          );
      }
      return lost;
    }

    /** The pod that took its place, ready. */
    async function successorOf(workload: LiveWorkload, gone: Pod): Promise<Pod> {
      const { model, namespace } = workload;
      const kind = model.object.kind as 'Deployment' | 'StatefulSet' | 'DaemonSet';
      const ref = { kind, name: model.object.metadata.name, namespace };
      const others = workload.pods.filter(({ metadata }) => metadata.uid !== gone.metadata.uid);
      const created = await podCreated(kube, ref, { others });
      await podReady(kube, { name: created.metadata.name, namespace }, { timeoutMs: READY_MS });
      const [live] = await readWorkloads(release, [model]);
      return live?.pods.find(({ metadata }) => metadata.uid === created.metadata.uid) ?? created;
    }
  },
);

/** Mounts of claims that outlive a pod, by containers that keep running and may write. */
function lastingMounts({
  object,
  template,
  claims,
}: ModelWorkload): { container: string; path: string; volume: string }[] {
  // A pod without a controller is not replaced.
  if (object.kind === 'Pod') return [];
  const volumes = new Set([
    ...(template.spec.volumes ?? [])
      .filter(({ persistentVolumeClaim: claim }) => claim && claim.readOnly !== true)
      .map(({ name }) => name),
    ...claims.filter(({ origin }) => origin === 'template').map(({ name }) => name),
  ]);
  return allContainers(template.spec)
    .filter(({ role }) => role !== 'init')
    .flatMap(({ container }) =>
      (container.volumeMounts ?? [])
        .filter(({ name, readOnly }) => volumes.has(name) && readOnly !== true)
        .map(({ name, mountPath }) => ({ container: container.name, path: mountPath, volume: name })),
    );
}
