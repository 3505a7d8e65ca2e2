import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import { sampleReport } from '../../harness/testing/sample-report.ts';
import { temporaryFolder } from '../../harness/testing/temporary-folder.ts';
import { readRunReport } from './run-report.ts';

const report = sampleReport();
const started = {
  id: report.run.id,
  notBefore: Date.parse(report.run.startedAt),
  exitCode: report.run.exitCode,
};
const whole = JSON.stringify(report);

let folder: string;
beforeEach(async () => {
  folder = await temporaryFolder();
});

describe('readRunReport', () => {
  it('returns the report of the run that the gate started', async () => {
    await writeFile(join(folder, 'report.json'), whole);
    expect(await readRunReport(folder, started)).toMatchObject({ run: { id: report.run.id } });
  });

  const withRun = (change: object): string =>
    JSON.stringify({ ...report, run: { ...report.run, ...change } });
  const before = new Date(started.notBefore - 1).toISOString();

  it.each([
    ['truncated', whole.slice(0, -20), /is not complete: /],
    ['empty', '', /is not complete: /],
    [
      'of an older version',
      JSON.stringify({ ...report, schemaVersion: 1 }),
      /has schema version 1, and .* reads version 2/,
    ],
    ['without a version', '{}', /has schema version none/],
    ['of another form', JSON.stringify({ ...report, checks: 'none' }), /does not fit its schema/],
    ['of another run', withRun({ id: 'other' }), /belongs to run other, not to/],
    ['of an earlier start', withRun({ startedAt: before }), /before the one of this gate/],
    ['unfinished', withRun({ verdict: '' }), /is unfinished/],
    ['at odds with the exit code of the run', withRun({ exitCode: 0 }), /exit code 0, but it ended with 1/],
  ])('refuses a report that is %s', async (_case, text, message) => {
    await writeFile(join(folder, 'report.json'), text);
    await expect(readRunReport(folder, { ...started, exitCode: 1 })).rejects.toMatchObject({
      code: 'E_REPORT_INVALID',
      message: expect.stringMatching(message) as string,
    });
  });

  it('refuses a run without a report', async () => {
    await expect(readRunReport(folder, started)).rejects.toMatchObject({
      code: 'E_REPORT_MISSING',
      exitCode: 3,
    });
  });
});
