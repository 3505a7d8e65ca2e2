/** Puts what the chart expects to find there into a namespace. What fails here says nothing about the chart. */
import { type Clock, systemClock, WaitTimeout } from '../../core/deadline.ts';
import { InfrastructureError, messageOf } from '../../core/errors.ts';
import type { KubeClient } from '../../kube/api/client.ts';
import { ApiError } from '../../kube/api/errors.ts';
import type { KubeObject, Pod } from '../../kube/api/types.ts';
import { isCoreApi } from '../../kube/manifests/core-api.ts';
import { nameOf } from '../../kube/manifests/objects.ts';
import type { Recording } from '../../observe/recorder/recording.ts';
import { jobComplete } from '../../observe/waits/job.ts';
import { podReady } from '../../observe/waits/pod-start.ts';
import { rolledOut } from '../../observe/waits/rollout.ts';

/** As long as Kubernetes waits for the progress of a Deployment. What can never become ready ends the wait earlier. */
const READY_MS = 600_000;

interface Surroundings {
  kube: KubeClient;
  signal: AbortSignal;
  clock?: Clock | undefined;
}

/**
 * Applies the objects in their order, then waits until workloads and pods are ready and Jobs complete.
 *
 * @returns their pods that keep running
 * @throws InfrastructureError `E_PREREQUISITE` naming the object that is refused or does not become ready, and why
 */
export async function preparePrerequisites(
  objects: readonly KubeObject[],
  namespace: string,
  { kube, signal, clock = systemClock }: Surroundings,
): Promise<Pod[]> {
  for (const object of objects) await apply(object, namespace, { kube, signal });
  for (const object of objects.filter(({ apiVersion }) => isCoreApi(apiVersion))) {
    try {
      await ready(object, namespace, { kube, signal, clock });
    } catch (error) {
      if (!(error instanceof WaitTimeout)) throw error;
      const seen = error.history.at(-1)?.seen ?? 'nothing was seen';
      const why = error.hopeless === undefined ? '' : `: ${error.hopeless}`;
      // Without a hint: the diagnosis of the check knows what to do about the cause.
      throw new InfrastructureError(
        'E_PREREQUISITE',
        `prerequisite ${nameOf(object)} does not become ready: ${seen} after ${error.waited}${why}`,
        { details: error.details },
      );
    }
  }
  const names = new Set(objects.filter(({ kind }) => kind === 'Pod').map(({ metadata }) => metadata.name));
  // The release is not installed yet, and pods of checks have no owner.
  return (await kube.list('Pod', { namespace, signal })).filter(
    ({ metadata, status }) =>
      status?.phase === 'Running' &&
      ((metadata.ownerReferences ?? []).length > 0 || names.has(metadata.name)),
  );
}

/** When the pod of a prerequisite, once ready, was not ready or deleted: a sentence for each loss. */
export function lossOf({ metadata: { name, uid } }: Pod, recording: Recording): string[] {
  const isGone = recording.changes.some(
    ({ type, object }) => type === 'DELETED' && object.metadata.uid === uid,
  );
  return [
    ...recording
      .everUnready(uid ?? name)
      .map(({ says }) => `prerequisite pod ${name} was not ready (${says})`),
    ...(isGone ? [`prerequisite pod ${name} was deleted`] : []),
  ];
}

async function apply(
  object: KubeObject,
  namespace: string,
  { kube, signal }: Omit<Surroundings, 'clock'>,
): Promise<void> {
  const { apiVersion, kind } = object;
  const refused = (why: string, cause?: unknown): InfrastructureError =>
    new InfrastructureError('E_PREREQUISITE', `prerequisite ${nameOf(object)} cannot be applied: ${why}`, {
      hint: 'Correct it in the file of --prerequisites, or remove it.',
      cause,
    });
  try {
    if (!(await kube.isNamespaced({ apiVersion, kind }, { signal })))
      throw refused('it is cluster-scoped, and the run applies it to each namespace of a release');
    await kube.apply(object, { namespace, signal });
  } catch (error) {
    if (!(error instanceof ApiError) || error.status >= 500) throw error;
    throw refused(messageOf(error), error);
  }
}

async function ready(
  { kind, metadata: { name } }: KubeObject,
  namespace: string,
  { kube, signal, clock }: Surroundings & { clock: Clock },
): Promise<void> {
  const ref = { name, namespace };
  const wait = { timeoutMs: READY_MS, signal, clock };
  if (kind === 'Deployment' || kind === 'StatefulSet' || kind === 'DaemonSet')
    await rolledOut(kube, { kind, ...ref }, wait);
  else if (kind === 'Job') await jobComplete(kube, ref, wait);
  else if (kind === 'Pod') await podReady(kube, ref, wait);
}
