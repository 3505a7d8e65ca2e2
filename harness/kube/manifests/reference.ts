/** A reference from one rendered object to another. */
import type { KnownKind } from '../api/client.ts';
import type { KubeObject } from '../api/types.ts';

/** Something that an object needs and that does not exist. */
export interface ReferenceProblem {
  /** `Deployment toolman` */
  object: string;
  /** JSON Pointer of the reference, `/spec/template/spec/volumes/0/configMap/name`. */
  path: string;
  /** `ConfigMap toolman-servers-config` */
  refers: string;
  why: string;
}

/** Kinds that a reference may have to look for in the cluster. */
export type ReferencedKind = KnownKind;

/** The object in the release's namespace (or cluster-wide, by its kind); `undefined` when there is none. */
export type Lookup = (kind: ReferencedKind, name: string) => Promise<KubeObject | undefined>;

/** A reference by name, not followed yet. */
export interface ObjectReference {
  object: KubeObject;
  path: string;
  kind: ReferencedKind;
  name: string;
  /** Keys of a ConfigMap or Secret that are needed. */
  keys?: readonly string[];
  optional?: boolean;
}

/** What a collector finds: references to follow, and those that the rendered objects alone prove to be dangling. */
export interface References {
  toFollow: ObjectReference[];
  problems: ReferenceProblem[];
  /** How many references were looked at. */
  checked: number;
}
