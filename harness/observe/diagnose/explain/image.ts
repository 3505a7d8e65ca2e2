/** Explains why an image is missing on the node. */
import { canonicalImageRef } from '../../../kube/manifests/image-reference.ts';
import type { Container, ContainerStatus, Pod } from '../../../kube/api/types.ts';
import { HINT } from './hints.ts';
import { clip } from '../../../core/wording.ts';
import type { PodTrouble, World } from '../world.ts';
import { eventsOf, RANK, roleOf } from '../world.ts';

const IMAGE_REASONS = new Set([
  'ErrImagePull',
  'ImagePullBackOff',
  'InvalidImageName',
  'ErrImageNeverPull',
  'ImageInspectError',
  'RegistryUnavailable',
  'SignatureValidationFailed',
]);

function isImageTrouble(reason: string | undefined): boolean {
  return reason !== undefined && IMAGE_REASONS.has(reason);
}

/** Interprets the error of registry or runtime. `permanent`: waiting cannot help. */
export function readPullError(message: string): {
  answer: string;
  hint: string | undefined;
  permanent: boolean;
} {
  const rules: readonly [RegExp, string, string, boolean][] = [
    [
      /no such host|server misbehaving|Temporary failure in name resolution/i,
      'the name of the registry cannot be resolved',
      HINT.imageUnreachable,
      false,
    ],
    [
      /connection refused|i\/o timeout|network is unreachable|TLS handshake|no route to host|deadline exceeded|connection reset|\bEOF\b/i,
      'the registry cannot be reached',
      HINT.imageUnreachable,
      false,
    ],
    [/x509|certificate/i, "the registry's certificate is not trusted", HINT.imageUnreachable, true],
    [
      /toomanyrequests|429 Too Many/i,
      'the registry refuses: too many requests',
      HINT.imageUnreachable,
      false,
    ],
    [
      /unauthorized|authentication required|access denied|denied|authorization failed|403 Forbidden|401/i,
      'the registry denies access (or has no such repository)',
      HINT.imageDenied,
      true,
    ],
    [
      /not found|manifest unknown|does not exist|NotFound/i,
      'the registry has no such image',
      HINT.imageNotFound,
      true,
    ],
    [
      /no match for platform/i,
      "the image does not exist for the node's architecture",
      HINT.architecture,
      true,
    ],
  ];
  for (const [pattern, answer, hint, permanent] of rules) {
    if (pattern.test(message)) return { answer, hint, permanent };
  }
  return { answer: clip(innermost(message)), hint: HINT.imageNotFound, permanent: false };
}

/** Strips the error layers that only repeat the image's name; what remains is the error of registry or network. */
function innermost(message: string): string {
  const last = message.split('desc = ').at(-1) ?? message;
  return last
    .replace(/(?:failed to (?:pull(?: and unpack)? image|resolve (?:reference|image)) "[^"]*": )+/gi, '')
    .replace(/^failed to do request: /, '');
}

export function explainImage(
  pod: Pod,
  spec: Container | undefined,
  status: ContainerStatus,
  world: World,
): PodTrouble | undefined {
  const waiting = status.state?.waiting;
  if (!isImageTrouble(waiting?.reason)) return undefined;
  const image = spec?.image ?? status.image;
  const who = `${roleOf(pod, status.name)} ${status.name}`;
  if (waiting?.reason === 'InvalidImageName') {
    const says = `cannot start ${who}: "${image}" is not a valid image reference`;
    return { says, upstream: [], hint: HINT.imageName, rank: RANK.image };
  }
  if (waiting?.reason === 'ErrImageNeverPull') {
    const says = `cannot start ${who}: image ${image} is not on node ${pod.spec.nodeName ?? ''} and its pull policy is Never`;
    return { says, upstream: [], hint: HINT.imageNever, rank: RANK.image };
  }
  const full = pullMessage(pod, status.name, world) ?? waiting?.message ?? '';
  const { answer, hint } = readPullError(full);
  const inVain = spec?.imagePullPolicy === 'Always' && isOnNode(image, pod, world);
  const why = inVain
    ? `its pull policy is Always, so the copy that is on node ${pod.spec.nodeName ?? ''} is not used: `
    : '';
  return {
    says: `cannot pull image ${image} for ${who}: ${why}${answer}`,
    upstream:
      full === ''
        ? []
        : [{ object: `Image ${image}`, says: `could not be pulled: ${clip(innermost(full), 300)}` }],
    hint: inVain ? HINT.pullAlways : hint,
    rank: RANK.image,
  };
}

/** Known only for the images that the node reports. */
function isOnNode(image: string, { spec }: Pod, { nodes }: World): boolean {
  const node = nodes?.find(({ metadata }) => metadata.name === spec.nodeName);
  const names = (node?.status?.images ?? []).flatMap((one) => one.names ?? []);
  return names.some((name) => canonicalImageRef(name) === canonicalImageRef(image));
}

/** The runtime's full error, which the back-off message of later attempts may lack. */
export function pullMessage(pod: Pod, container: string, world: Pick<World, 'events'>): string | undefined {
  return eventsOf(world.events, { ...pod, kind: 'Pod' })
    .filter((e) => e.reason === 'Failed' && (e.message ?? '').includes('Failed to pull image'))
    .findLast((e) => (e.involvedObject.fieldPath ?? container).includes(container))?.message;
}
