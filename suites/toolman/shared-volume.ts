/** A volume that several nodes can mount, of a storage class that the cluster need not have. */
import { waitFor } from '../../harness/core/deadline.ts';
import { RUN_LABEL } from '../../harness/core/run-id.ts';
import type { KubeObject } from '../../harness/kube/api/types.ts';
import { CheckSkipped } from '../../harness/run/suite/check.ts';
import type { Lab } from '../../harness/run/suite/lab.ts';

/** The class of storage that the nodes of a kind cluster share. */
const SHARED = 'shared';
const CLAIM = 'shared-volume';

interface VolumeSpec {
  capacity: unknown;
  accessModes: unknown;
  claimRef?: unknown;
  storageClassName?: string;
  persistentVolumeReclaimPolicy?: string;
  [source: string]: unknown;
}

/**
 * Creates the class and one volume of it until the check ends, backed by a claim of class `shared`. Where the cluster has a class
 * of that name, nothing is created.
 *
 * @throws CheckSkipped when the cluster has neither class
 */
export async function provideVolume(
  lab: Lab,
  { storageClass, size }: { storageClass: string; size: string },
): Promise<void> {
  const { kube, labels } = lab;
  const known = await kube.get('StorageClass', { name: storageClass });
  if (known && known.metadata.labels?.[RUN_LABEL] === undefined) return;
  if (!(await kube.get('StorageClass', { name: SHARED })))
    throw new CheckSkipped(`the cluster has neither StorageClass ${storageClass} nor ${SHARED}`);
  const namespace = await lab.namespace();
  await kube.create({
    apiVersion: 'v1',
    kind: 'PersistentVolumeClaim',
    metadata: { name: CLAIM, namespace },
    spec: {
      accessModes: ['ReadWriteMany'],
      storageClassName: SHARED,
      resources: { requests: { storage: '1Mi' } },
    },
  });
  const source = { ...(await boundVolume(lab, namespace)) };
  delete source.capacity;
  delete source.claimRef;

  // Claims are bound by its name also while it does not exist, so another check may take it away.
  if (!known) {
    lab.defer(`delete StorageClass ${storageClass}`, () =>
      kube.teardown.delete('StorageClass', { name: storageClass }),
    );
    await kube.create({
      apiVersion: 'storage.k8s.io/v1',
      kind: 'StorageClass',
      metadata: { name: storageClass, labels },
      provisioner: 'kubernetes.io/no-provisioner',
      volumeBindingMode: 'Immediate',
    });
  }
  const name = `${namespace}-${storageClass}`;
  lab.defer(`delete PersistentVolume ${name}`, () => kube.teardown.delete('PersistentVolume', { name }));
  await kube.create({
    apiVersion: 'v1',
    kind: 'PersistentVolume',
    metadata: { name, labels },
    spec: {
      ...source,
      capacity: { storage: size },
      storageClassName: storageClass,
      // Its folder belongs to the claim of class shared, and is deleted with that.
      persistentVolumeReclaimPolicy: 'Retain',
    },
  });
}

function boundVolume({ kube }: Lab, namespace: string): Promise<VolumeSpec> {
  return waitFor<VolumeSpec>({
    what: `a volume of class ${SHARED}`,
    timeoutMs: 120_000,
    look: async () => {
      const claim = await kube.get('PersistentVolumeClaim', { name: CLAIM, namespace });
      const { volumeName: name } = (claim?.['spec'] ?? {}) as { volumeName?: string };
      const volume: KubeObject | undefined =
        name === undefined ? undefined : await kube.get('PersistentVolume', { name });
      return volume
        ? { done: true, value: volume['spec'] as VolumeSpec }
        : { done: false, seen: 'the claim is not bound' };
    },
  });
}
