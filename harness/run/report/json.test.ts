import { mkdir, mkdtemp, readFile, readdir, readlink, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { silentLog } from '../../core/log.ts';
import { createRedactor } from '../../core/redact.ts';
import { sampleCheck, sampleReport } from '../../testing/sample-report.ts';
import { htmlReporter } from './html/html.ts';
import { jsonReporter, reportJsonSchema } from './json.ts';
import { junitReporter } from './junit/junit.ts';
import type { Report } from './model.ts';
import { report as reportSchema } from './model.ts';
import { createMultiplexer } from './multiplexer.ts';

let runs: string;
beforeEach(async () => {
  runs = await mkdtemp(path.join(tmpdir(), 'kp-report-'));
});
afterEach(async () => {
  await rm(runs, { recursive: true });
});

/** All three files, as a run writes them. */
function writeAll(name: string, report: Report, secrets: string[] = []) {
  const reporters = createMultiplexer([jsonReporter, junitReporter, htmlReporter], {
    redact: createRedactor(secrets),
    log: silentLog,
  });
  return reporters.write(report, path.join(runs, name));
}

describe('the file reporters', () => {
  it('leave three files, nothing temporary, and a relative link to the latest run', async () => {
    await writeAll('first', sampleReport());
    const failures = await writeAll('second', sampleReport());

    expect(failures).toEqual([]);
    expect((await readdir(path.join(runs, 'second'))).sort()).toEqual([
      'junit.xml',
      'report.html',
      'report.json',
    ]);
    expect((await readdir(runs)).sort()).toEqual(['first', 'latest', 'second']);
    expect(await readlink(path.join(runs, 'latest'))).toBe('second');
  });

  it('put no secret into any file', async () => {
    const secret = 'canary-<5f2e>-&';
    const report = sampleReport({
      checks: [sampleCheck({ observed: [`PASSWORD=${secret}`], title: secret })],
    });

    await writeAll('x', report, [secret]);

    for (const file of await readdir(path.join(runs, 'x'))) {
      const content = await readFile(path.join(runs, 'x', file), 'utf8');
      expect(content).toContain('•••');
      expect(content).not.toContain('5f2e');
    }
  });
});

describe('report.json', () => {
  it('is accepted by the schema again', async () => {
    const [file = ''] = (await jsonReporter.write?.(sampleReport(), path.join(runs, 'x'))) ?? [];

    expect(reportSchema.parse(JSON.parse(await readFile(file, 'utf8')))).toEqual(sampleReport());
  });

  it('leaves anything else that is called latest alone', async () => {
    await mkdir(path.join(runs, 'latest'));
    await writeFile(path.join(runs, 'latest', 'mine'), '');

    await jsonReporter.write?.(sampleReport(), path.join(runs, 'x'));

    expect((await stat(path.join(runs, 'latest', 'mine'))).isFile()).toBe(true);
  });

  it('is not written when the report does not fit the schema', async () => {
    const report = { ...sampleReport(), schemaVersion: 1 } as unknown as Report;

    await expect(jsonReporter.write?.(report, path.join(runs, 'x'))).rejects.toMatchObject({
      code: 'E_REPORT_INVALID',
      message: expect.stringContaining('schemaVersion'),
    });
    expect(await readdir(runs)).toEqual([]);
  });

  it('names the file and a remedy when it cannot be written', async () => {
    await writeFile(path.join(runs, 'file'), '');

    await expect(jsonReporter.write?.(sampleReport(), path.join(runs, 'file', 'x'))).rejects.toMatchObject({
      code: 'E_REPORT_WRITE',
      message: expect.stringContaining('report.json'),
      hint: expect.stringContaining('--out'),
    });
  });
});

it('docs/report.schema.json is the schema of the model (`npm run matrix` writes it)', async () => {
  const file = path.resolve(import.meta.dirname, '../../../docs/report.schema.json');
  expect(JSON.parse(await readFile(file, 'utf8'))).toEqual(reportJsonSchema());
});
