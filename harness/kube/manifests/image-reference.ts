/** References of images. */

/**
 * The full form of a reference, as containerd and the kubelet store it: `docker.io/library/app:latest` for `app` (distribution reference,
 * "Familiar name"). The first component is a registry host only if it has a dot or a colon, or is `localhost`.
 */
export function canonicalImageRef(ref: string): string {
  const [name = '', digest] = ref.split('@', 2);
  const slash = name.indexOf('/');
  const first = slash < 0 ? '' : name.slice(0, slash);
  const hasHost = first === 'localhost' || /[.:]/.test(first);
  const path = hasHost ? name : `docker.io/${slash < 0 ? 'library/' : ''}${name}`;
  const tagged = /:[^/]+$/.test(path) || digest !== undefined ? path : `${path}:latest`;
  return digest === undefined ? tagged : `${tagged}@${digest}`;
}
