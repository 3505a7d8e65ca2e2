/** A check: one test that verifies one or more requirements and says what it observed. */
import { CheckFailure } from '../../core/errors.ts';
import type { KubeClient } from '../../kube/api/client.ts';
import type { AttachedCluster } from './attached-cluster.ts';
import type { MaybePrepared } from './environment.ts';
import type { Lab } from './lab.ts';
import type { Release } from './release.ts';
import type { SubjectConfig } from './worker-config.ts';

export interface CheckContext<Options = unknown, Prepared extends MaybePrepared = MaybePrepared> {
  /** Installs further releases and creates namespaces; undone when the check ends. */
  lab: Lab<Options, Prepared>;
  /**
   * The shared release, rolled out. Not available with `release: 'none'`. A disruptive check installs its own release through `lab`; an
   * exclusive one may change this one instead, and puts it back.
   */
  release: Release<Prepared>;
  cluster: AttachedCluster;
  kube: KubeClient;
  subject: SubjectConfig;
  /** Adds an observation to the report, also when the check passes. */
  observe: (text: string) => void;
  /** Tells the reader what is no defect, but must not be overlooked; shown under the check, whatever its status. */
  note: (text: string) => void;
}

export interface CheckOptions {
  /** `shared` (default): needs the shared release rolled out; `none`: needs no release, or installs its own. */
  release?: 'shared' | 'none';
  /** Capabilities that the cluster must have; without one the check is skipped with the reason. */
  needs?: readonly string[];
  /** Names of images of the subject that are prepared only for checks like this one, unless the subject names them. */
  images?: readonly string[];
  /** Checks that the shared release becomes ready; starts first, so that it reports the failure and the others are blocked. */
  first?: boolean;
  /** Reads rendered manifests only; all other checks are `live`. */
  static?: boolean;
  /** The requirement is about documented names: an object or container without its name is a failure. For all others it is a misfit. */
  names?: boolean;
  /** Breaks or moves something on purpose. */
  disruptive?: boolean;
  /** Changes what other checks rest on, such as nodes, so nothing runs at the same time. All other checks run concurrently. */
  exclusive?: boolean;
  /** Judges the whole recording of the shared release, so it starts after the checks that run in parallel. */
  last?: boolean;
  /**
   * How many releases it installs that live at the same time, beside the shared one. It starts when the nodes have room for them. Default:
   * 1 with `release: 'none'`, otherwise none; a static check installs nothing.
   */
  releases?: number;
  /** Default: CHECK_TIMEOUT_MS, 300 000 ms. */
  timeoutMs?: number;
  /**
   * How long it takes on two cores beside others, in ms; for those that take 40 s or more. The longest start first: most of their time is
   * waiting, in which the short ones run.
   */
  typicalMs?: number;
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

/**
 * Thrown by a check that this cluster or machine cannot run; it is reported as skipped, with the message as the reason. When it is the
 * subject that lacks something, throw DoesNotFit.
 */
export class CheckSkipped extends CheckFailure {
  constructor(reason: string) {
    super('E_SKIPPED', reason);
  }
}
