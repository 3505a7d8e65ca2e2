/** The lifecycle stack: every setup registers its undo step before it starts. The steps run in reverse order on every exit path. */
import { type Clock, endWithin, seconds, systemClock } from './deadline.ts';
import { InfrastructureError, messageOf } from './errors.ts';
import type { Log } from './log.ts';
import { silentLog } from './log.ts';

interface Entry {
  title: string;
  undo: () => Promise<void> | void;
}

/** Longer than every limit of what a step calls: a step that takes longer hangs. */
const UNDO_LIMIT_MS = 600_000;

/** A failed undo step. It does not prevent the others from running. */
export interface UndoFailure {
  title: string;
  error: unknown;
}

export class Lifecycle {
  readonly #entries: Entry[] = [];
  readonly #log: Log;
  readonly #clock: Clock;
  #closing: Promise<UndoFailure[]> | undefined;

  constructor(log: Log = silentLog, clock: Clock = systemClock) {
    this.#log = log;
    this.#clock = clock;
  }

  /**
   * Registers an undo step. Call it **before** the setup starts; the step must tolerate a setup that never happened.
   *
   * @param title text of the progress line: "delete cluster kp-1a2b"
   * @returns a function that removes the entry, for things that should stay (`--keep`)
   */
  defer(title: string, undo: () => Promise<void> | void): () => void {
    if (this.#closing) throw new Error(`cannot register "${title}": the lifecycle is already closing`);
    const entry: Entry = { title, undo };
    this.#entries.push(entry);
    return () => {
      const index = this.#entries.indexOf(entry);
      if (index >= 0) this.#entries.splice(index, 1);
    };
  }

  /**
   * Runs all undo steps in reverse order, also after a failed step and whatever `onStep` and the log do. A step that does not end is given
   * up. A second call waits for the first.
   */
  close(onStep: (title: string) => void = () => {}): Promise<UndoFailure[]> {
    // Set before the first step runs, which may be synchronous.
    this.#closing ??= Promise.resolve().then(() => this.#run(onStep));
    return this.#closing;
  }

  async #run(onStep: (title: string) => void): Promise<UndoFailure[]> {
    const failures: UndoFailure[] = [];
    for (let entry = this.#entries.pop(); entry; entry = this.#entries.pop()) {
      const { title, undo } = entry;
      quietly(() => this.#log.info('undo', { title }));
      quietly(() => onStep(title));
      try {
        // Async, so that a synchronous exception is a rejection.
        const undone = (async () => undo())();
        await endWithin(UNDO_LIMIT_MS, undone, tooLate, this.#clock);
      } catch (error) {
        quietly(() => this.#log.error('undo failed', { title, error: messageOf(error) }));
        failures.push({ title, error });
      }
    }
    return failures;
  }
}

function tooLate(): InfrastructureError {
  return new InfrastructureError('E_UNDO_TIMEOUT', `it did not end within ${seconds(UNDO_LIMIT_MS)}`);
}

/** Telling about a step must not prevent it. */
function quietly(tell: () => void): void {
  try {
    tell();
  } catch {
    // The step itself reports what matters.
  }
}
