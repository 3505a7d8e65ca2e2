/** What happens during a run, as told to whoever shows it (terminal, GitHub, log). */
import type { CheckResult, Proof, Report } from './model.ts';

export type RunEvent =
  | { type: 'run-started'; runId: string; directory: string; command: string; plan: string[] }
  | { type: 'phase-started'; name: string }
  /** What is being done right now and how far it is, e.g. `building kube-apiserver (3 of 7)`. */
  | { type: 'phase-progress'; name: string; text: string }
  | { type: 'phase-ended'; name: string; durationMs: number; status: 'passed' | 'failed'; text?: string }
  | { type: 'notice'; level: 'info' | 'warning'; text: string; hint?: string }
  | { type: 'check-started'; suite: string; id: string; title: string }
  | { type: 'check-ended'; check: CheckResult; suite: string; rerun: string }
  | { type: 'proof-ended'; proof: Proof }
  | { type: 'run-ended'; report: Report; directory: string };

/** Receives every event of a run in order; must not throw. */
export interface RunObserver {
  onEvent(event: RunEvent): void;
  /** Called once after the last event; restores the terminal. */
  close?(): void;
}
