/** A reference from one rendered object to another. */
import type { KnownKind } from '../api/client.ts';
import type { KubeObject } from '../api/types.ts';

/** A reference to something that does not exist. */
export interface ReferenceProblem {
  /** `Deployment toolman` */
  object: string;
  /** JSON Pointer of the reference, `/spec/template/spec/volumes/0/configMap/name`. */
  path: string;
  /** `ConfigMap toolman-servers-config` */
  refers: string;
  why: string;
}

/** Kinds that can be looked up in the cluster. */
export type ReferencedKind = KnownKind | 'Role';

/**
 * Reads an object in the namespace of the rendered object that refers to it, or a cluster-scoped one; `undefined` when it does not exist.
 */
export type Lookup = (
  kind: ReferencedKind,
  name: string,
  from: KubeObject,
) => Promise<KubeObject | undefined>;

/** An unresolved reference by name. */
export interface ObjectReference {
  object: KubeObject;
  path: string;
  kind: ReferencedKind;
  name: string;
  /** Of the target, when the reference names one. */
  namespace?: string;
  /** Required keys of a ConfigMap or Secret. */
  keys?: readonly string[];
  optional?: boolean;
}

/** The result of a collector: references to resolve, and those that are already known to dangle. */
export interface References {
  toFollow: ObjectReference[];
  problems: ReferenceProblem[];
  /** Number of references that the collector resolved itself. */
  checked: number;
}
