/** The lifecycle stack: every setup registers its undo step before it starts. The steps run in reverse order on every exit path. */
import { messageOf } from './errors.ts';
import type { Log } from './log.ts';
import { silentLog } from './log.ts';

interface Entry {
  title: string;
  undo: () => Promise<void> | void;
}

/** A failed undo step. It does not prevent the others from running. */
export interface UndoFailure {
  title: string;
  error: unknown;
}

export class Lifecycle {
  readonly #entries: Entry[] = [];
  readonly #log: Log;
  #closing: Promise<UndoFailure[]> | undefined;

  constructor(log: Log = silentLog) {
    this.#log = log;
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

  /** Runs all undo steps in reverse order, also after a failed step. A second call waits for the first. */
  close(onStep: (title: string) => void = () => {}): Promise<UndoFailure[]> {
    // Set before the first step runs, which may be synchronous.
    this.#closing ??= Promise.resolve().then(() => this.#run(onStep));
    return this.#closing;
  }

  async #run(onStep: (title: string) => void): Promise<UndoFailure[]> {
    const failures: UndoFailure[] = [];
    for (let entry = this.#entries.pop(); entry; entry = this.#entries.pop()) {
      this.#log.info('undo', { title: entry.title });
      try {
        onStep(entry.title);
        await entry.undo();
      } catch (error) {
        this.#log.error('undo failed', { title: entry.title, error: messageOf(error) });
        failures.push({ title: entry.title, error });
      }
    }
    return failures;
  }
}
