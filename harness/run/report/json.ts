/** The files that a run leaves behind: report.json, junit.xml, report.html, and `latest` beside the run's directory. */
import { mkdir, rename, rm, symlink, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { z } from 'zod';
import { InfrastructureError } from '../../core/errors.ts';
import { toHtml } from './html.ts';
import { toJunit } from './junit.ts';
import type { Report } from './model.ts';
import { report as reportSchema } from './model.ts';
import { createRedactor, redactDeep } from '../../core/redact.ts';

export interface WriteOptions {
  /** Secrets that must not be in any file, see `createRedactor`. */
  redact?: readonly string[];
}

/**
 * Writes report.json, junit.xml and report.html to the run's directory, each complete or not at all, and points the
 * symbolic link `latest` beside the directory to it.
 *
 * @returns the paths of the files written, report.json first
 * @throws InfrastructureError when the report does not fit its schema (a bug of ours) or cannot be written
 */
export async function writeReports(
  directory: string,
  report: Report,
  options: WriteOptions = {},
): Promise<string[]> {
  const parsed = reportSchema.safeParse(redactDeep(report, createRedactor(options.redact ?? [])));
  if (!parsed.success) {
    throw new InfrastructureError(
      'E_REPORT_INVALID',
      `the report does not fit its schema:\n${z.prettifyError(parsed.error)}`,
      { hint: 'This is a bug in kindproof; run.jsonl in the run directory has what happened.' },
    );
  }
  const contents: [string, string][] = [
    ['report.json', `${JSON.stringify(parsed.data, undefined, 2)}\n`],
    ['junit.xml', toJunit(parsed.data)],
    ['report.html', toHtml(parsed.data)],
  ];
  try {
    await mkdir(directory, { recursive: true });
    const files: string[] = [];
    for (const [name, content] of contents) {
      const file = path.join(directory, name);
      await writeAtomically(file, content);
      files.push(file);
    }
    await pointLatestTo(directory);
    return files;
  } catch (error) {
    throw new InfrastructureError('E_REPORT_WRITE', `the reports could not be written to ${directory}`, {
      cause: error,
      hint: 'Check that the disk has room and that the directory is writable, or choose another with --out.',
    });
  }
}

/** A reader, also one that watches the directory, never sees half a file. */
async function writeAtomically(file: string, content: string): Promise<void> {
  const temporary = `${file}.${process.pid}.tmp`;
  try {
    await writeFile(temporary, content);
    await rename(temporary, file);
  } finally {
    await rm(temporary, { force: true });
  }
}

/** The link is a convenience: something else of that name stays as it is, and a file system without links is fine. */
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

/** The JSON Schema (2020-12) of report.json, for tools that read it; the same text is kept in docs/report.schema.json. */
export function reportJsonSchema(): Record<string, unknown> {
  const schema = z.toJSONSchema(reportSchema, { target: 'draft-2020-12', io: 'output' });
  return {
    ...schema,
    title: 'kindproof report.json',
    description: 'What a kindproof run says about itself. Generated from harness/run/report/model.ts.',
  };
}
