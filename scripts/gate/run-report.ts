/** The report that the gate decides by: the one of its own run, complete, and in the form that this version writes. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { InfrastructureError, messageOf } from '../../harness/core/errors.ts';
import { report as reportSchema, type Report } from '../../harness/run/report/model.ts';

/** What the gate knows about the run that it started. */
export interface StartedRun {
  id: string;
  /** Before the run started, ms since the epoch. */
  notBefore: number;
  /** What the run returned. */
  exitCode: number;
}

const VERSION = reportSchema.shape.schemaVersion.value;

const versioned = z.looseObject({ schemaVersion: z.number() });

/**
 * Reads report.json.
 *
 * @throws InfrastructureError `E_REPORT_MISSING`, or `E_REPORT_INVALID` when the report is truncated, of another version, of another run,
 *   unfinished, or contradicts what the run returned
 */
export async function readRunReport(runDirectory: string, started: StartedRun): Promise<Report> {
  const file = join(runDirectory, 'report.json');
  const hint = `See ${join(runDirectory, 'run.jsonl')}.`;
  const refuse = (message: string, cause?: unknown): InfrastructureError =>
    new InfrastructureError('E_REPORT_INVALID', message, { cause, hint });

  const text = await readFile(file, 'utf8').catch((cause: unknown) => {
    throw new InfrastructureError('E_REPORT_MISSING', `run ${started.id} wrote no report`, { cause, hint });
  });
  const json = parse(text, (cause) => refuse(`${file} is not complete: ${messageOf(cause)}`, cause));
  const version = versioned.safeParse(json).data?.schemaVersion;
  if (version !== VERSION) {
    throw refuse(`${file} has schema version ${version ?? 'none'}, and this gate reads version ${VERSION}`);
  }
  const parsed = reportSchema.safeParse(json);
  if (!parsed.success) throw refuse(`${file} does not fit its schema:\n${z.prettifyError(parsed.error)}`);
  const { run } = parsed.data;
  // With --out, the folder may contain the report of an earlier run.
  if (run.id !== started.id) throw refuse(`${file} belongs to run ${run.id}, not to ${started.id}`);
  if (Date.parse(run.startedAt) < started.notBefore) {
    throw refuse(`${file} is of a run that started at ${run.startedAt}, before the one of this gate`);
  }
  if (run.verdict === '') throw refuse(`${file} is unfinished: it has no verdict`);
  if (run.exitCode !== started.exitCode) {
    throw refuse(
      `${file} says that the run ended with exit code ${run.exitCode}, but it ended with ${started.exitCode}`,
    );
  }
  return parsed.data;
}

function parse(text: string, failure: (cause: unknown) => Error): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw failure(cause);
  }
}
