import type { CommandRunner } from '../../core/command.ts';
import type { Log } from '../../core/log.ts';

/** What a task works with, next to the run. */
export interface Step {
  /** Runs commands; they end with `signal`. */
  command: CommandRunner;
  log: Log;
  /** Aborted by an interruption, and when a task that runs at the same time fails. */
  signal: AbortSignal;
  /** Shows what the task is doing right now, next to the elapsed time. */
  onProgress: (text: string) => void;
  /** Tells the user about something that the run does not fail for. */
  warn: (text: string, hint?: string) => void;
}

/** Programs that the run uses. */
export interface Tools {
  helm: string;
  /** Absent with an existing cluster. */
  kind?: string;
}
