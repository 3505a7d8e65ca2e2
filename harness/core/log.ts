/** The log of a run: structured lines in `run.jsonl`. */
import pino from 'pino';

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
 * Writes are synchronous, so that no line is lost in a crash.
 *
 * @param redact applied to every line before it is written
 */
export function createFileLog(
  file: string,
  base: Record<string, unknown> = {},
  redact: (line: string) => string = (line) => line,
): Log {
  const destination = pino.destination({ dest: file, sync: true, mkdir: true, append: true });
  const logger = pino(
    { level: 'debug', base, timestamp: pino.stdTimeFunctions.isoTime },
    { write: (line) => destination.write(redact(line)) },
  );
  return {
    debug: (message, meta = {}) => logger.debug(meta, message),
    info: (message, meta = {}) => logger.info(meta, message),
    warn: (message, meta = {}) => logger.warn(meta, message),
    error: (message, meta = {}) => logger.error(meta, message),
  };
}
