/** What happens during a run, for reporters. */
import type { CheckResult, Proof, Report } from './model.ts';

export type RunEvent =
  | { type: 'run-started'; runId: string; directory: string; command: string }
  | { type: 'phase-started'; name: string }
  /** The current step and its progress, e.g. `building kube-apiserver (3 of 7)`. */
  | { type: 'phase-progress'; name: string; text: string }
  | { type: 'phase-ended'; name: string; durationMs: number; status: 'passed' | 'failed' }
  | { type: 'notice'; level: 'info' | 'warning'; text: string; hint?: string }
  | { type: 'check-started'; suite: string; id: string; title: string }
  /** `rerun`: the command that runs this check again; empty for none. */
  | { type: 'check-ended'; check: CheckResult; suite: string; rerun: string }
  | { type: 'proof-ended'; proof: Proof }
  | { type: 'run-ended'; report: Report; directory: string };
