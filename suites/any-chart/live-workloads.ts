/** The workloads of a release on the cluster, each with its own pods. */
import { ownedPods, type OwnerTree } from '../../harness/kube/api/owned-pods.ts';
import type { KubeObject, Pod } from '../../harness/kube/api/types.ts';
import type { ModelWorkload, SubjectModel } from '../../harness/kube/manifests/model/model.ts';
import { lasting, modelOf, namespaceOf } from '../../harness/kube/manifests/model/subject-model.ts';
import { DoesNotFit } from '../../harness/core/errors.ts';
import type { Release } from '../../harness/run/suite/release.ts';

export interface LiveWorkload {
  model: ModelWorkload;
  namespace: string;
  /** Absent when it does not exist (any more): helm deletes hooks, and a finished Job may be deleted after a while. */
  object: KubeObject | undefined;
  /** Its own pods by ownerReferences, without terminating ones. */
  pods: Pod[];
}

/** The model of what the release renders. */
export function modelOfRelease(release: Release): SubjectModel {
  return modelOf(release.objects, release);
}

/** Workloads whose pods run without an end. @throws DoesNotFit when the chart renders none */
export function lastingOf(release: Release): ModelWorkload[] {
  const found = lasting(modelOfRelease(release));
  if (found.length > 0) return found;
  throw new DoesNotFit('the chart renders no workload whose pods run without an end');
}

/** Reads the workloads and their pods. */
export async function readWorkloads(
  release: Release,
  workloads: readonly ModelWorkload[],
): Promise<LiveWorkload[]> {
  const namespaces = [...new Set(workloads.map(({ object }) => namespaceOf(object, release)))];
  const trees = new Map(
    await Promise.all(
      namespaces.map(async (namespace) => [namespace, await ownerTree(release, namespace)] as const),
    ),
  );
  return Promise.all(
    workloads.map(async (model) => {
      const { apiVersion, kind, metadata } = model.object;
      const namespace = namespaceOf(model.object, release);
      const object = await release.kube.get({ apiVersion, kind }, { name: metadata.name, namespace });
      const tree = trees.get(namespace);
      const pods = object && tree ? ownedPods({ ...object, kind }, tree) : [];
      return {
        model,
        namespace,
        object: object && { ...object, kind },
        pods: pods.filter((pod) => pod.metadata.deletionTimestamp === undefined),
      };
    }),
  );
}

/** The lasting workloads with their pods. @throws DoesNotFit when the chart renders none, or none of them has a pod */
export async function runningWorkloads(release: Release): Promise<LiveWorkload[]> {
  const found = (await readWorkloads(release, lastingOf(release))).map(({ pods, ...rest }) => ({
    ...rest,
    pods: pods.filter(({ status }) => status?.phase !== 'Failed' && status?.phase !== 'Succeeded'),
  }));
  if (found.some(({ pods }) => pods.length > 0)) return found.filter(({ pods }) => pods.length > 0);
  throw new DoesNotFit('no workload of the chart has a pod here');
}

async function ownerTree({ kube }: Release, namespace: string): Promise<OwnerTree> {
  const [pods, replicaSets, jobs] = await Promise.all([
    kube.list('Pod', { namespace }),
    kube.list('ReplicaSet', { namespace }),
    kube.list('Job', { namespace }),
  ]);
  return { pods, replicaSets, jobs };
}
