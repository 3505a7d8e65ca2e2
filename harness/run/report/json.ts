/** report.json, its JSON Schema, and the link `latest` beside the run directory. */
import { rename, rm, symlink } from 'node:fs/promises';
import path from 'node:path';
import { z } from 'zod';
import { InfrastructureError } from '../../core/errors.ts';
import { writeReportFile } from './files.ts';
import { report as reportSchema } from './model.ts';
import type { Reporter } from './reporter.ts';

/**
 * Writes report.json, then points `latest` to the run directory.
 *
 * `write` throws InfrastructureError `E_REPORT_INVALID` when the report does not fit its schema (a bug of ours), and
 * `E_REPORT_WRITE`.
 */
export const jsonReporter: Reporter = {
  name: 'json',
  async write(report, directory) {
    const parsed = reportSchema.safeParse(report);
    if (!parsed.success) {
      throw new InfrastructureError(
        'E_REPORT_INVALID',
        `the report does not fit its schema:\n${z.prettifyError(parsed.error)}`,
        { hint: 'This is a bug in kindproof; run.jsonl in the run directory has what happened.' },
      );
    }
    const file = await writeReportFile(
      directory,
      'report.json',
      `${JSON.stringify(parsed.data, undefined, 2)}\n`,
    );
    await pointLatestTo(directory);
    return [file];
  },
};

/** The link is a convenience: anything else named `latest` stays as it is, and a file system without links is fine. */
async function pointLatestTo(directory: string): Promise<void> {
  const absolute = path.resolve(directory);
  const link = path.join(path.dirname(absolute), 'latest');
  const temporary = `${link}.${process.pid}.tmp`;
  try {
    await symlink(path.basename(absolute), temporary);
    await rename(temporary, link);
  } catch {
    // Nothing in the run depends on it.
  } finally {
    await rm(temporary, { force: true });
  }
}

/** The JSON Schema (2020-12) of report.json, for tools that read it; docs/report.schema.json is a copy. */
export function reportJsonSchema(): Record<string, unknown> {
  const schema = z.toJSONSchema(reportSchema, { target: 'draft-2020-12', io: 'output' });
  return {
    ...schema,
    title: 'kindproof report.json',
    description: 'The report of a kindproof run. Generated from harness/run/report/model.ts.',
  };
}
