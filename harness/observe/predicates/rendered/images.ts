/** Image references in manifests. */
import type { KubeObject } from '../../../kube/api/types.ts';
import { workloads } from '../../../kube/manifests/objects.ts';
import { containersOf, everyOne } from '../select.ts';
import type { PredicateResult } from '../result.ts';

/** Every image has a tag other than `latest`, or a digest. */
export function imagesArePinned(objects: readonly KubeObject[]): PredicateResult {
  return everyOne(containersOf(workloads(objects)), {
    expected: 'every image has a fixed tag or a digest',
    what: 'containers',
    title: (entry) => entry.title,
    wrong: ({ container: { image } }) => {
      if (!image) return 'names no image';
      if (/@sha256:[0-9a-f]{64}$/.test(image)) return undefined;
      const tag = imageTag(image);
      if (tag === undefined) return `runs ${image}, which has no tag: it would be latest`;
      return tag === 'latest' ? `runs ${image}` : undefined;
    },
  });
}

/**
 * No container pulls an image at every start (imagePullPolicy Always) that the nodes already have: where no registry has it, the pod does
 * not start. The default of the policy is Always for the tag `latest` (Container v1 core).
 *
 * @param isOnNodes whether a node has the image
 */
export function pullsInVain(
  objects: readonly KubeObject[],
  isOnNodes: (image: string) => boolean,
): PredicateResult {
  return everyOne(containersOf(workloads(objects)), {
    expected: 'no container pulls at every start what the nodes have',
    what: 'containers',
    title: (entry) => entry.title,
    wrong: ({ container: { image, imagePullPolicy } }) => {
      const isLatest = !image.includes('@') && (imageTag(image) ?? 'latest') === 'latest';
      const policy = imagePullPolicy ?? (isLatest ? 'Always' : 'IfNotPresent');
      if (policy !== 'Always' || !isOnNodes(image)) return undefined;
      return `has imagePullPolicy Always, although the nodes have ${image}: every start needs the registry`;
    },
  });
}

/** `example.org:5000/a/b:1.2` -> `1.2`; the port of a registry is not a tag. */
function imageTag(image: string): string | undefined {
  const last = (image.split('@')[0] ?? image).split('/').at(-1) ?? image;
  const tag = last.split(':')[1];
  return tag === '' ? undefined : tag;
}
