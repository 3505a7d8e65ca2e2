/** The storage classes that charts name, and that a cloud or an administrator offers on a real cluster. */
import { createHash } from 'node:crypto';
import { z } from 'zod';
import type { KubeClient } from '../../harness/kube/api/client.ts';
import type { KubeObject } from '../../harness/kube/api/types.ts';
import type { Topology } from '../../harness/kube/cluster/cluster.ts';

/** The provisioner of the node image and of kind's own one (node-image/manifests/default-storage.yaml). */
const PROVISIONER = { name: 'local-path-provisioner', namespace: 'local-path-storage' };
const CONFIG = { name: 'local-path-config', namespace: 'local-path-storage' };
const CONFIG_FILE = 'config.json';

/** On each class that kindproof adds; the value is the class of the node image that it is a copy of. */
const COPY_OF = 'kindproof.dev/copy-of';
/** Of the provisioner's pods: a change replaces them, as `kubectl rollout restart` does. */
const CONFIG_DIGEST = 'kindproof.dev/config-digest';

const configSchema = z.looseObject({ storageClassConfigs: z.record(z.string(), z.unknown()).optional() });

/**
 * Creates the topology's storage classes as copies of `shared` and `standard`, and removes those of earlier topologies: a chart that names
 * them would work by chance. Classes of others stay as they are. The provisioner may have to start again, which `waitForSystem` waits for.
 *
 * @param onProgress what cannot be provided: kind's own node image has no class `shared`
 * @returns one sentence for each class that was removed or created
 */
export async function ensureStorageClasses(
  kube: KubeClient,
  topology: Topology,
  onProgress: (text: string) => void = () => {},
): Promise<string[]> {
  const wanted = new Map(
    (topology.storageClasses ?? []).map(({ name, isShared }) => [name, isShared ? 'shared' : 'standard']),
  );
  const existing = await kube.list('StorageClass');
  const outdated = existing.filter(({ metadata: { name, labels } }) => {
    const copyOf = labels?.[COPY_OF];
    return copyOf !== undefined && copyOf !== wanted.get(name);
  });
  for (const { metadata } of outdated) await kube.delete('StorageClass', { name: metadata.name });
  const kept = existing.filter((one) => !outdated.includes(one));
  const copies = [...wanted].flatMap(([name, copyOf]) => {
    if (kept.some(({ metadata }) => metadata.name === name)) return [];
    const original = kept.find(({ metadata }) => metadata.name === copyOf);
    if (original) return [{ name, original }];
    const lacks = copyOf === 'shared' ? 'storage that several nodes can mount' : `StorageClass ${copyOf}`;
    onProgress(`the node image has no ${lacks}: StorageClass ${name} is not provided`);
    return [];
  });
  // First: a claim may appear as soon as its class does.
  if (copies.length > 0) await configureProvisioner(kube, copies);
  for (const { name, original } of copies) await kube.create(copyNamed(name, original));
  return [
    ...outdated.map(({ metadata }) => `StorageClass ${metadata.name} of an earlier run removed`),
    ...copies.map(({ name }) => `StorageClass ${name} created`),
  ];
}

/** Without the annotation that makes the original the default class. */
function copyNamed(name: string, original: KubeObject): KubeObject {
  return {
    ...original,
    apiVersion: 'storage.k8s.io/v1',
    kind: 'StorageClass',
    metadata: { name, labels: { [COPY_OF]: original.metadata.name } },
  };
}

/**
 * The provisioner refuses a class that its configuration does not list, unless that lists none, as in kind's own node image. It would
 * notice the change only after up to two minutes, so it starts again. Entries of classes that are gone stay: volumes of them may be left.
 */
async function configureProvisioner(
  kube: KubeClient,
  copies: readonly { name: string; original: KubeObject }[],
): Promise<void> {
  const text = (await kube.get('ConfigMap', CONFIG))?.data?.[CONFIG_FILE];
  if (text === undefined) return;
  const config = configSchema.parse(JSON.parse(text));
  const { storageClassConfigs: known } = config;
  if (known === undefined) return;
  const added = copies.map(({ name, original }) => [name, known[original.metadata.name]] as const);
  const storageClassConfigs = { ...known, ...Object.fromEntries(added) };
  const changed = `${JSON.stringify({ ...config, storageClassConfigs }, null, 2)}\n`;
  await kube.patch('ConfigMap', CONFIG, { data: { [CONFIG_FILE]: changed } });
  // The digest, not the time: after an interruption between the two patches, the next run makes up for it.
  const annotations = { [CONFIG_DIGEST]: createHash('sha256').update(changed).digest('hex').slice(0, 16) };
  await kube.patch('Deployment', PROVISIONER, { spec: { template: { metadata: { annotations } } } });
}
