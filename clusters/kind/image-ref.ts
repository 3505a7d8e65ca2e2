/** Image references in the form that containerd keeps them. Pure. */

/**
 * The full form of a reference: `docker.io/library/app:latest` for `app`, as containerd and the kubelet know it (distribution
 * reference, "Familiar name"). A first component is a registry's host only with a dot, a colon, or as `localhost`.
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
