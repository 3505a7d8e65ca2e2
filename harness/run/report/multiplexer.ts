/** Hands events and the report to every reporter, without secrets, and contains the exceptions of each. */
import { stat } from 'node:fs/promises';
import { KindproofError, messageOf } from '../../core/errors.ts';
import type { Log } from '../../core/log.ts';
import type { Redact } from '../../core/redact.ts';
import { redactDeep } from '../../core/redact.ts';
import type { RunEvent } from './events.ts';
import type { Report } from './model.ts';
import type { Reporter } from './reporter.ts';

/** A reporter whose files are missing or incomplete. */
export interface ReporterFailure {
  /** Name of the reporter. */
  name: string;
  /** `E_REPORT_WRITE`, `E_REPORT_INVALID`, or the code of whatever the reporter threw. */
  code: `E_${string}`;
  message: string;
  hint?: string;
}

export interface Multiplexer {
  /** Never throws. A reporter that throws gets no further events; the others get one warning notice about it. */
  emit(event: RunEvent): void;
  /**
   * Lets the reporters write, one after the other in their order, and verifies that the files exist. Never rejects.
   *
   * When it returns failures, change the report (exit code, error) and write a second time: every reporter writes again, so
   * that all files that can be written agree with the exit code. The second result may be shorter or longer than the first.
   * A reporter whose `onEvent` threw still writes.
   */
  write(report: Report, directory: string): Promise<ReporterFailure[]>;
  /** Closes every reporter, also one that threw before. Call it once, after the last event. */
  close(): void;
}

export function createMultiplexer(
  reporters: readonly Reporter[],
  { redact, log }: { redact: Redact; log: Log },
): Multiplexer {
  const broken = new Set<Reporter>();

  function emit(event: RunEvent): void {
    const shown = redactDeep(event, redact);
    const thrown: { reporter: Reporter; error: unknown }[] = [];
    for (const reporter of reporters) {
      if (broken.has(reporter)) continue;
      try {
        reporter.onEvent?.(shown);
      } catch (error) {
        broken.add(reporter);
        thrown.push({ reporter, error });
      }
    }
    for (const { reporter, error } of thrown) {
      log.error('reporter failed', { reporter: reporter.name, event: event.type, error: traceOf(error) });
      emit({
        type: 'notice',
        level: 'warning',
        text: `the ${reporter.name} reporter failed and shows nothing more: ${messageOf(error)}`,
        hint: 'This is a bug in kindproof; run.jsonl has the stack trace.',
      });
    }
  }

  function failureOf(reporter: Reporter, error: unknown): ReporterFailure {
    log.error('reporter could not write', { reporter: reporter.name, error: traceOf(error) });
    const hint = error instanceof KindproofError ? error.hint : undefined;
    return redactDeep(
      {
        name: reporter.name,
        code: error instanceof KindproofError ? error.code : 'E_REPORT_WRITE',
        message: `the ${reporter.name} reporter failed: ${messageOf(error)}`,
        ...(hint === undefined ? {} : { hint }),
      },
      redact,
    );
  }

  return {
    emit,
    async write(report, directory) {
      const shown = redactDeep(report, redact);
      const failures: ReporterFailure[] = [];
      for (const reporter of reporters) {
        try {
          const files = (await reporter.write?.(shown, directory)) ?? [];
          for (const file of files) await verify(file);
        } catch (error) {
          failures.push(failureOf(reporter, error));
        }
      }
      return failures;
    },
    close() {
      for (const reporter of reporters) {
        try {
          reporter.close?.();
        } catch (error) {
          log.error('reporter could not close', { reporter: reporter.name, error: traceOf(error) });
        }
      }
    },
  };
}

async function verify(file: string): Promise<void> {
  try {
    await stat(file);
  } catch (cause) {
    throw new Error(`${file} does not exist after writing`, { cause });
  }
}

function traceOf(error: unknown): string {
  return error instanceof Error ? (error.stack ?? error.message) : messageOf(error);
}
