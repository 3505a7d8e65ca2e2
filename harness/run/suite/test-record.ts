/**
 * The channel from the worker to the main process: what a vitest test says about itself, in the meta data of its task. Values have to
 * survive a structured clone.
 */
import type { CapabilityResult } from '../../kube/cluster/cluster.ts';
import type { CheckResult, Proof } from '../report/model.ts';
import type { Check } from './check.ts';

export type TestRecord =
  | {
      type: 'check';
      check: Pick<Check, 'id' | 'file' | 'requirements' | 'title'>;
      /** `false`: not part of this run. */
      selected: boolean;
      /** Set when the check has ended; absent when it died outside of the kit. */
      outcome?: CheckOutcome;
    }
  | {
      type: 'proof';
      fault: Pick<Proof, 'fault' | 'suite' | 'requirements'>;
      outcome?: ProofOutcome;
    };

interface Outcome {
  /** Proven before a check relied on them. */
  capabilities: CapabilityResult[];
  /** Set when the cluster failed, not the subject: the run ends. */
  infrastructure?: InfrastructureFailure | undefined;
}

export interface CheckOutcome extends Outcome {
  result: CheckResult;
}

export interface ProofOutcome extends Outcome {
  proof: Proof;
}

export interface InfrastructureFailure {
  code: string;
  message: string;
  hint?: string;
}

declare module 'vitest' {
  interface TaskMeta {
    kindproof?: TestRecord;
  }
}
