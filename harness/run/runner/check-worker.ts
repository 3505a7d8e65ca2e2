import type { Worker } from 'node:worker_threads';
import { ThreadsPoolWorker, type PoolOptions } from 'vitest/node';

type Callback = (argument: unknown) => void;

/**
 * vitest's worker thread. A thread that dies of an error, such as running out of memory, emits `error` and then `exit`. vitest 4.1.12 ends
 * the test run on the first; on the second it throws in the main process (PoolRunner.emitUnexpectedExit), which would end the whole run.
 */
export class CheckWorker extends ThreadsPoolWorker {
  readonly #onDeath: (error: unknown) => void;
  #onExit: Callback = () => {};

  constructor(options: PoolOptions, onDeath: (error: unknown) => void = () => {}) {
    super(options);
    this.#onDeath = onDeath;
  }

  override on(event: string, callback: Callback): void {
    if (event === 'exit') this.#onExit = callback;
    const died = (error: unknown): void => {
      this.off('exit', this.#onExit);
      this.#onDeath(error);
      callback(error);
    };
    super.on(event, event === 'error' ? died : callback);
  }

  /** How long the thread has waited for something since it started; does not grow while code blocks it. Without a thread `undefined`. */
  idleMs(): number | undefined {
    // vitest has no public way to the thread.
    const thread = this['_thread'] as Worker | undefined;
    return thread?.performance.eventLoopUtilization().idle;
  }
}
