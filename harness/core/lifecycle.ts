/**
 * The lifecycle stack: everything that is set up registers its undoing before it starts, and is undone in reverse on
 * every way out.
 */
import { messageOf } from './errors.ts';
import type { Log } from './log.ts';
import { silentLog } from './log.ts';

interface Entry {
  title: string;
  undo: () => Promise<void> | void;
}

/** Result of one undo step that failed; the others have been run all the same. */
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
   * Registers how something is undone. Call it **before** the thing is started: an undo of something that never came to
   * be has to be harmless.
   *
   * @param title what will be undone, in the words of a progress line ("delete cluster kp-1a2b")
   * @returns a function that forgets the entry, for things that are meant to stay (`--keep`)
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

  /** Undoes everything in reverse order, each step even if an earlier one failed; a second call waits for the first. */
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
