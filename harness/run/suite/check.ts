/** A check: one test that verifies one or more requirements and says what it observed. */
import { CheckFailure } from '../../core/errors.ts';
import type { KubeClient } from '../../kube/api/client.ts';
import type { AttachedCluster } from './attached-cluster.ts';
import type { Lab } from './lab.ts';
import type { Release } from './release.ts';
import type { SubjectConfig } from './worker-config.ts';

export interface CheckContext {
  /** Installs further releases, makes namespaces; all of it is taken down when the check ends. */
  lab: Lab;
  /**
   * The release that all undisturbed checks share, rolled out. A check with `release: 'none'` must not ask for it; one that
   * disturbs anything installs its own through `lab`.
   */
  release: Release;
  cluster: AttachedCluster;
  kube: KubeClient;
  subject: SubjectConfig;
  /** Tells what was seen, for the report; also when the check passes. */
  observe: (text: string) => void;
}

export interface CheckOptions {
  /** `shared` (default): needs the shared release rolled out; `none`: needs no release, or installs its own. */
  release?: 'shared' | 'none';
  /** Capabilities of the cluster that are proven first; without one the check is skipped with the reason. */
  needs?: readonly string[];
  /** It says whether the shared release became ready at all; it starts first, so that it is the one to tell a failure of that. */
  first?: boolean;
  /** It reads rendered manifests only; everything else is `live`. */
  static?: boolean;
  /** It breaks or moves something on purpose. */
  disruptive?: boolean;
  /** It changes what other checks rest on, such as nodes: nothing runs beside it. Others of a file run side by side. */
  exclusive?: boolean;
  /** Default 180 000 ms. */
  timeoutMs?: number;
}

export interface Check {
  /** `toolman/T-35`, with `#2` … when a requirement has more than one check. */
  id: string;
  suite: string;
  /** Relative to the project. */
  file: string;
  title: string;
  requirements: readonly string[];
  options: CheckOptions;
  run(context: CheckContext): Promise<void> | void;
}

/** Thrown by a check that finds nothing which it could look at; it is reported as skipped, with the message as its reason. */
export class CheckSkipped extends CheckFailure {
  constructor(reason: string) {
    super('E_SKIPPED', reason);
  }
}
