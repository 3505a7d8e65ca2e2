/** The log of a run: structured lines in `run.jsonl`. */
import pino from 'pino';
import { PRIVATE_FILE } from './private-files.ts';
import { redactDeep, type Redact } from './redact.ts';

export interface Log {
  debug(message: string, meta?: Record<string, unknown>): void;
  info(message: string, meta?: Record<string, unknown>): void;
  warn(message: string, meta?: Record<string, unknown>): void;
  error(message: string, meta?: Record<string, unknown>): void;
}

/** Discards everything. For unit tests, and before the run directory exists. */
export const silentLog: Log = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} };

/**
 * A log that appends JSON lines to `file`.
 *
 * Writes are synchronous, so that no line is lost in a crash. The log never throws: it is also used while an error is handled and while a
 * run is taken down. Lines that a full disk refuses are written when there is room again, up to a limit.
 *
 * @param redact applied to message and meta data before they are written; a line that cannot be redacted is dropped
 */
export function createFileLog(
  file: string,
  base: Record<string, unknown> = {},
  redact: Redact = (text) => text,
): Log {
  const destination = openDestination(file);
  if (!destination) return silentLog;
  const logger = pino({ level: 'debug', base, timestamp: pino.stdTimeFunctions.isoTime }, destination);
  const write =
    (level: keyof Log) =>
    (message: string, meta: Record<string, unknown> = {}): void => {
      try {
        logger[level](redactDeep(meta, redact), redact(message));
      } catch {
        // There is no other place to report it.
      }
    };
  return { debug: write('debug'), info: write('info'), warn: write('warn'), error: write('error') };
}

/** How much text waits for room on a full disk. */
const PENDING_BYTES = 1024 * 1024;

/** Returns `undefined` when the file cannot be created; a run that can write no files says so with its reports. */
function openDestination(file: string): ReturnType<typeof pino.destination> | undefined {
  try {
    const options = {
      dest: file,
      sync: true,
      mkdir: true,
      append: true,
      mode: PRIVATE_FILE,
      maxLength: PENDING_BYTES,
    };
    // A failed write is an event, and without a listener an exception.
    return pino.destination(options).on('error', () => {});
  } catch {
    return undefined;
  }
}
