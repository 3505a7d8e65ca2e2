/** A disturbance of a run: when it happens, what it does, and how the run has to end. */
import type { CommandRunner } from '../../harness/core/command.ts';

/** What a disturbance works with. */
export interface Trial {
  /** Id of the run's process, which leads a process group of its own. */
  pid: number;
  runId: string;
  /** Directory of the run. */
  directory: string;
  /** Name of the run's cluster. */
  cluster: string;
  command: CommandRunner;
  /** Stops reading what the run prints, as `| head` does. */
  closeOutput: () => void;
  /** The kubelets, API server and containers of a cluster go on; only the engine does not answer any more. */
  cutEngine: () => Promise<void>;
  /** Makes the thread that executes the checks take all memory, or never return to its event loop. */
  disturbWorker: (how: 'memory' | 'block') => Promise<void>;
  /** Starts a second run and returns its exit code. */
  secondRun: (args: readonly string[]) => Promise<number>;
  /** Registers something that is undone after the run has ended. */
  after: (undo: () => Promise<void>) => void;
}

export interface Scenario {
  /** For `--only`; kebab-case. */
  id: string;
  title: string;
  /** `own`: the run creates its cluster and must remove it. `kept`: a cluster that several scenarios share. */
  cluster: 'own' | 'kept';
  args: readonly string[];
  /** Disturbs the run when its output matches. */
  when: RegExp;
  disturb: (trial: Trial) => Promise<void>;
  /** Before the run starts; `folder` will hold its directory and nothing else. */
  prepare?: (
    folder: string,
    command: CommandRunner,
    after: (undo: () => Promise<void>) => void,
  ) => Promise<void>;
  /** The run has to end with one of them. */
  exitCodes: readonly number[];
  /** The run cannot take everything down; a sweep, or the next run on the kept cluster, has to. */
  needsSweep?: boolean;
  limitMs: number;
  /** Skipped for other users. */
  needsRoot?: boolean;
  /** Part of `npm test`. */
  quick?: boolean;
}
