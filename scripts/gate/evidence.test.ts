import { cp, mkdtemp, mkdir, rm, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { sampleCheck, sampleProof, sampleReport } from '../../harness/testing/sample-report.ts';
import { buildEvidence, digestRunFiles, digestSubject, evidence, sameSubject } from './evidence.ts';

let folder: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'kindproof-evidence-'));
  await mkdir(join(folder, 'chart', 'templates'), { recursive: true });
  await writeFile(join(folder, 'chart', 'Chart.yaml'), 'name: toolman\n');
  await writeFile(join(folder, 'chart', 'templates', 'service.yaml'), 'kind: Service\n');
  await writeFile(join(folder, 'values.yaml'), 'replicaCount: 3\n');
});

afterEach(() => rm(folder, { recursive: true, force: true }));

const subject = () => digestSubject(join(folder, 'chart'), [join(folder, 'values.yaml')]);

describe('digestSubject', () => {
  it('names every file relative to the chart', async () => {
    const { chart, values } = await subject();
    expect(chart.path).toBe('chart');
    expect(chart.files.map((f) => f.path)).toEqual(['Chart.yaml', 'templates/service.yaml']);
    expect(values.map((f) => f.path)).toEqual(['values.yaml']);
  });

  it('does not depend on the location or times of the chart', async () => {
    const before = await subject();
    await cp(join(folder, 'chart'), join(folder, 'elsewhere', 'chart'), { recursive: true });
    await utimes(join(folder, 'elsewhere', 'chart', 'Chart.yaml'), 1, 1);
    const copy = await digestSubject(join(folder, 'elsewhere', 'chart'), [join(folder, 'values.yaml')]);
    expect(sameSubject(before, copy)).toBe(true);
  });

  it.each([
    ['a file of the chart changes', 'chart/templates/service.yaml'],
    ['a file is added to the chart', 'chart/templates/ingress.yaml'],
    ['a values file changes', 'values.yaml'],
  ])('differs when %s', async (_case, path) => {
    const before = await subject();
    await writeFile(join(folder, path), 'changed: true\n');
    expect(sameSubject(before, await subject())).toBe(false);
  });

  it('ignores .git', async () => {
    const before = await subject();
    await mkdir(join(folder, 'chart', '.git'));
    await writeFile(join(folder, 'chart', '.git', 'HEAD'), 'ref\n');
    expect(sameSubject(before, await subject())).toBe(true);
  });

  it('digests a packaged chart as one file', async () => {
    await writeFile(join(folder, 'toolman-1.0.0.tgz'), 'archive');
    const { chart } = await digestSubject(join(folder, 'toolman-1.0.0.tgz'), []);
    expect(chart.files.map((f) => f.path)).toEqual(['toolman-1.0.0.tgz']);
  });
});

describe('buildEvidence', () => {
  it('contains decision, digests, results and uncovered requirements, and matches its schema', async () => {
    const report = sampleReport({ checks: [sampleCheck()], proofs: [sampleProof()] });
    await writeFile(join(folder, 'report.json'), JSON.stringify(report));
    const built = buildEvidence({
      decision: { decision: 'release', reasons: [] },
      report,
      suite: 'toolman',
      subject: await subject(),
      set: ['image.tag=1.4.0'],
      kindproof: { version: '0.1.0', commit: 'abc' },
      files: await digestRunFiles(folder, ['report.json', 'missing.xml']),
      writtenAt: '2026-03-02T21:10:00.000Z',
    });
    expect(evidence.parse(JSON.parse(JSON.stringify(built)))).toEqual(built);
    expect(built.files.map((f) => f.path)).toEqual(['report.json']);
    expect(built.subject.images.map((i) => i.name)).toEqual(['toolman', 'migrate']);
    expect(built.checks[0]?.observed).not.toEqual([]);
    expect(built.requirements.uncovered).toEqual(['T-60']);
    expect(built.requirements.notApplicable).toEqual(['T-61']);
  });
});
