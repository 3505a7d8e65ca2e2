/** Which images ran: sidecars, init containers, hooks and jobs included, from the recordings of the run. */
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { canonicalImageRef } from '../../harness/kube/manifests/image-reference.ts';
import { count } from '../../harness/core/wording.ts';
import type { ContainerStatus, Pod } from '../../harness/kube/api/types.ts';
import { allContainers, type ContainerRole } from '../../harness/kube/manifests/objects.ts';
import { Recording } from '../../harness/observe/recorder/recording.ts';
import type { Report } from '../../harness/run/report/model.ts';

/** One container of one pod, and the image that its node started. */
export interface RanContainer {
  namespace: string;
  pod: string;
  container: string;
  role: ContainerRole;
  /** As the pod names it. */
  ref: string;
  /** `status.containerStatuses[].imageID`: `sha256:…`, or `registry/app@sha256:…` when the node pulled it. */
  id: string;
}

/** An image that ran, and how it can be found again. */
export interface RanImage {
  ref: string;
  id: string;
  /** Digest of its manifest in a registry. */
  manifest?: string;
  /** Why there is no manifest in a registry. */
  withoutManifest?: string;
  /** Digests of its manifest on the nodes. */
  nodeManifests: string[];
  /** Built by kindproof in place of the real image. */
  standIn: boolean;
  /** `toolman`, `setup (init)` */
  containers: string[];
  pods: number;
}

export interface ImageEvidence {
  images: RanImage[];
  /** Images that the subject names and that no recorded pod ran. */
  notRun: { ref: string; namedBy: string[] }[];
  /** Why the images that ran are not the ones that were loaded, one sentence each; empty when they are. */
  problems: string[];
}

/**
 * Reads which containers started. The namespaces of proofs are left out: faults change images on purpose.
 *
 * @throws UsageError `E_RECORDING` when a recording is damaged
 */
export async function containersThatRan(
  runDirectory: string,
  { proofs = [] }: Pick<Report, 'proofs'>,
): Promise<RanContainer[]> {
  const directory = join(runDirectory, 'recording');
  const files = await readdir(directory).catch((): string[] => []);
  const faulty = new Set(proofs.flatMap(({ namespaces }) => namespaces));
  const found = new Map<string, RanContainer>();
  for (const file of files.filter((name) => name.endsWith('.jsonl')).toSorted()) {
    const namespace = file.replace(/\.jsonl$/, '');
    if (faulty.has(namespace)) continue;
    const { changes } = await Recording.fromFile(join(directory, file));
    // Every state, not only the last one: an image may be replaced in a running pod.
    for (const { object } of changes) {
      if (object.kind !== 'Pod') continue;
      for (const ran of containersOf(object as Pod, namespace)) found.set(JSON.stringify(ran), ran);
    }
  }
  return [...found.values()];
}

function containersOf({ metadata, spec, status }: Pod, namespace: string): RanContainer[] {
  const statuses = [
    ...(status?.initContainerStatuses ?? []),
    ...(status?.containerStatuses ?? []),
    ...(status?.ephemeralContainerStatuses ?? []),
  ];
  return allContainers(spec).flatMap(({ role, container }) => {
    const own = statuses.find(({ name }) => name === container.name);
    if (own === undefined || !hasStarted(own)) return [];
    const { name, image: ref } = container;
    return [{ namespace, pod: metadata.name, container: name, role, ref, id: own.imageID }];
  });
}

function hasStarted({ imageID }: ContainerStatus): boolean {
  return imageID !== '';
}

/** Groups the containers by image, and compares each with what was loaded. Pure. */
export function imageEvidence(
  ran: readonly RanContainer[],
  prepared: NonNullable<Report['images']>,
): ImageEvidence {
  const loaded = new Map(prepared.map((image) => [canonicalImageRef(image.ref), image]));
  const groups = new Map<string, RanContainer[]>();
  for (const one of ran) {
    const key = `${canonicalImageRef(one.ref)} ${one.id}`;
    groups.set(key, [...(groups.get(key) ?? []), one]);
  }
  const seen = new Set(ran.map(({ ref }) => canonicalImageRef(ref)));
  return {
    images: [...groups.values()].map((own) => ranImage(own, loaded)).toSorted(byRef),
    notRun: prepared
      .filter(({ ref, namedBy }) => !seen.has(canonicalImageRef(ref)) && namedBy.some(isOfTheSubject))
      .map(({ ref, namedBy }) => ({ ref, namedBy: namedBy.filter(isOfTheSubject) })),
    problems: ran.length === 0 ? ['no recording shows which images ran'] : differences(ran, loaded),
  };
}

type Loaded = ReadonlyMap<string, NonNullable<Report['images']>[number]>;

function ranImage(own: readonly RanContainer[], loaded: Loaded): RanImage {
  const [{ ref, id } = { ref: '', id: '' }] = own;
  const image = loaded.get(canonicalImageRef(ref));
  // An id with a repository is the manifest under which the node pulled the image.
  const manifest = id.includes('@') ? digestOf(id) : image?.registryManifest;
  const names = own.map(({ container, role }) => (role === 'main' ? container : `${container} (${role})`));
  return {
    ref,
    id,
    ...(manifest === undefined ? { withoutManifest: withoutManifest(image) } : { manifest }),
    nodeManifests: image?.nodeManifests ?? [],
    standIn: image?.standIn ?? false,
    containers: [...new Set(names)].toSorted(),
    pods: new Set(own.map(({ namespace, pod }) => `${namespace}/${pod}`)).size,
  };
}

function withoutManifest(image: NonNullable<Report['images']>[number] | undefined): string {
  if (!image) return 'the image was on the nodes before the run';
  if (image.source === 'built') return 'kindproof built the image, and no registry has it';
  return 'the engine knows no registry that has the image: it was built or loaded on this machine';
}

/** One sentence for each image that a pod runs instead of the loaded one, with the first pod. */
function differences(ran: readonly RanContainer[], loaded: Loaded): string[] {
  const groups = new Map<string, { first: RanContainer; wanted: string; others: number }>();
  for (const one of ran) {
    const ids = loaded.get(canonicalImageRef(one.ref))?.ids ?? [];
    if (ids.length === 0 || ids.includes(digestOf(one.id))) continue;
    const known = groups.get(`${one.ref} ${one.id}`);
    if (known) known.others += 1;
    else groups.set(`${one.ref} ${one.id}`, { first: one, wanted: ids.join(' or '), others: 0 });
  }
  return [...groups.values()].map(({ first: { namespace, pod, container, ref, id }, wanted, others }) => {
    const more = others > 0 ? `, as do ${count(others, 'more container')},` : '';
    return `container ${container} of pod ${namespace}/${pod}${more} runs ${id} as ${ref}, but ${wanted} was loaded`;
  });
}

function digestOf(id: string): string {
  return id.split('@').at(-1) ?? id;
}

/** Not only of the pods that checks create. */
function isOfTheSubject(user: string): boolean {
  return user.includes(': container ');
}

function byRef(a: RanImage, b: RanImage): number {
  return a.ref < b.ref ? -1 : a.ref > b.ref ? 1 : 0;
}
