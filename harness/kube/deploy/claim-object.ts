/** Keeps plain manifests from taking over what somebody else created: a forced apply succeeds on every object, and asks nobody. */
import { InfrastructureError } from '../../core/errors.ts';
import { RUN_LABEL } from '../../core/run-id.ts';
import type { KubeClient } from '../api/client.ts';
import { ownershipOf } from '../api/ownership.ts';
import type { KubeObject } from '../api/types.ts';
import { nameOf } from '../manifests/objects.ts';

/** The cluster that manifests are applied to, and the run that applies them. */
export interface DeployTarget {
  kube: KubeClient;
  runId: string;
}

/**
 * The object as it may be applied. What lies in a namespace of the run is the run's own. Everything else gets the run's label, so that it
 * can be told from an object of somebody else, also after a crash.
 *
 * @throws InfrastructureError `E_OBJECT_TAKEN` when the object exists outside of the run's namespaces and lacks the label
 */
export async function claimObject(
  { kube, runId }: DeployTarget,
  object: KubeObject,
  { namespace, signal }: { namespace: string; signal: AbortSignal },
): Promise<KubeObject> {
  const { apiVersion, kind, metadata } = object;
  const isNamespaced = await kube.isNamespaced({ apiVersion, kind }, { signal });
  if (isNamespaced) {
    const home = await kube.get('Namespace', { name: namespace }, { signal });
    if (home?.metadata.labels?.[RUN_LABEL] === runId) return object;
  }
  const ref = { name: metadata.name, ...(isNamespaced && { namespace }) };
  const existing = await kube.get({ apiVersion, kind }, ref, { signal });
  if (existing && !isClaimed(existing, runId)) {
    const name = `${nameOf(object)}${isNamespaced ? ` in namespace ${namespace}` : ''}`;
    throw new InfrastructureError(
      'E_OBJECT_TAKEN',
      `${name} already exists and ${ownershipOf(existing)}: applying would overwrite it, and the end of the run would delete it`,
      { hint: hintFor(existing, nameOf(object)) },
    );
  }
  return { ...object, metadata: { ...metadata, labels: { ...metadata.labels, [RUN_LABEL]: runId } } };
}

/** Whether the object has the label of the run. */
export function isClaimed({ metadata }: KubeObject, runId: string): boolean {
  return metadata.labels?.[RUN_LABEL] === runId;
}

function hintFor({ metadata }: KubeObject, name: string): string {
  const run = metadata.labels?.[RUN_LABEL];
  return run === undefined
    ? `use a cluster that has no ${name}, or delete it if nobody needs it`
    : `wait for run ${run}; if it has ended, remove what it left with \`npm run sweep\`, then ${name} is free`;
}
