import { mkdir, mkdtemp, readFile, readdir, readlink, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import prettier from 'prettier';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { reportJsonSchema, writeReports } from './json.ts';
import { report as reportSchema } from './model.ts';
import type { Report } from './model.ts';
import { sampleCheck, sampleReport } from '../../testing/sample-report.ts';

let runs: string;
beforeEach(async () => {
  runs = await mkdtemp(path.join(tmpdir(), 'kp-report-'));
});
afterEach(async () => {
  await rm(runs, { recursive: true });
});

describe('writing the reports', () => {
  it('leaves three files, nothing temporary, and a relative link to the latest run', async () => {
    await writeReports(path.join(runs, 'first'), sampleReport());
    const files = await writeReports(path.join(runs, 'second'), sampleReport());

    expect(files.map((file) => path.relative(runs, file))).toEqual([
      'second/report.json',
      'second/junit.xml',
      'second/report.html',
    ]);
    expect((await readdir(path.join(runs, 'second'))).sort()).toEqual([
      'junit.xml',
      'report.html',
      'report.json',
    ]);
    expect((await readdir(runs)).sort()).toEqual(['first', 'latest', 'second']);
    expect(await readlink(path.join(runs, 'latest'))).toBe('second');
  });

  it('writes a report.json that the schema accepts again', async () => {
    const [file = ''] = await writeReports(path.join(runs, 'x'), sampleReport());

    expect(reportSchema.parse(JSON.parse(await readFile(file, 'utf8')))).toEqual(sampleReport());
  });

  it('leaves something else that is called latest alone', async () => {
    await mkdir(path.join(runs, 'latest'));
    await writeFile(path.join(runs, 'latest', 'mine'), '');

    await writeReports(path.join(runs, 'x'), sampleReport());

    expect((await stat(path.join(runs, 'latest', 'mine'))).isFile()).toBe(true);
  });

  it('puts no secret into any file', async () => {
    const secret = 'canary-<5f2e>-&';
    const report = sampleReport({
      checks: [sampleCheck({ observed: [`PASSWORD=${secret}`], title: secret })],
    });

    const files = await writeReports(path.join(runs, 'x'), report, { redact: [secret] });

    for (const file of files) {
      const content = await readFile(file, 'utf8');
      expect(content).toContain('•••');
      expect(content).not.toContain('5f2e');
    }
  });

  it('refuses a report that does not fit the schema, before writing anything', async () => {
    const report = { ...sampleReport(), schemaVersion: 2 } as unknown as Report;

    await expect(writeReports(path.join(runs, 'x'), report)).rejects.toMatchObject({
      code: 'E_REPORT_INVALID',
      message: expect.stringContaining('schemaVersion'),
    });
    expect(await readdir(runs)).toEqual([]);
  });

  it('says what to do when it cannot write', async () => {
    await writeFile(path.join(runs, 'file'), '');

    await expect(writeReports(path.join(runs, 'file', 'x'), sampleReport())).rejects.toMatchObject({
      code: 'E_REPORT_WRITE',
      hint: expect.stringContaining('--out'),
    });
  });
});

it('docs/report.schema.json is the schema of the model (mend it with `npx vitest run harness/run/report/json.test.ts -u`)', async () => {
  const file = path.resolve(import.meta.dirname, '../../../docs/report.schema.json');
  const config = await prettier.resolveConfig(file);
  const text = await prettier.format(JSON.stringify(reportJsonSchema()), { ...config, parser: 'json' });

  await expect(text).toMatchFileSnapshot(file);
});
