/** The interface of everything that shows or stores a run: terminal, GitHub, report.json, junit.xml, report.html. */
import type { RunEvent } from './events.ts';
import type { Report } from './model.ts';

/** Gets every event of a run in order, and the finished report. The multiplexer contains its exceptions. */
export interface Reporter {
  /** For messages about the reporter itself: `terminal`, `junit`. */
  readonly name: string;
  onEvent?(event: RunEvent): void;
  /**
   * Writes the finished report; called again when the report changes because another reporter failed.
   *
   * @returns the paths of the written files, which must exist afterwards
   */
  write?(report: Report, directory: string): Promise<readonly string[]>;
  /** Called once after the last event; restores the terminal. */
  close?(): void;
}

/** What a reporter prints to. */
export interface TextStream {
  write(text: string): unknown;
}
