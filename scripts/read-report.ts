import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { report as reportSchema, type Report } from '../harness/run/report/model.ts';

/** report.json of a run directory. */
export async function readReport(runDirectory: string): Promise<Report> {
  return reportSchema.parse(JSON.parse(await readFile(join(runDirectory, 'report.json'), 'utf8')));
}
