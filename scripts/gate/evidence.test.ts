import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import { digestSubject } from '../../harness/kube/helm/subject-digest.ts';
import { sampleCheck, sampleMisfit, sampleProof, sampleReport } from '../../harness/testing/sample-report.ts';
import { temporaryFolder } from '../../harness/testing/temporary-folder.ts';
import { buildEvidence, digestRunFiles, evidence } from './evidence.ts';
import type { ImageEvidence } from './images-that-ran.ts';

let folder: string;

beforeEach(async () => {
  folder = await temporaryFolder();
  await mkdir(join(folder, 'chart', 'templates'), { recursive: true });
  await writeFile(join(folder, 'chart', 'Chart.yaml'), 'name: toolman\n');
  await writeFile(join(folder, 'values.yaml'), 'replicaCount: 3\n');
  await writeFile(join(folder, 'database.yaml'), 'kind: Secret\n');
});

const images: ImageEvidence = {
  images: [
    {
      ref: 'me/proxy:1',
      id: `sha256:${'a'.repeat(64)}`,
      withoutManifest: 'it was built on this machine',
      nodeManifests: [],
      standIn: false,
      containers: ['proxy (sidecar)'],
      pods: 3,
    },
  ],
  notRun: [{ ref: 'me/cron:1', namedBy: ['CronJob c: container c'] }],
  problems: [],
};

async function build(dirty: boolean, checks = [sampleCheck()]) {
  const [first, ...others] = sampleReport().subjects;
  const digest = await digestSubject(
    join(folder, 'chart'),
    [join(folder, 'values.yaml')],
    [join(folder, 'database.yaml')],
  );
  const report = sampleReport({
    checks,
    proofs: [sampleProof()],
    subjects: [{ ...first!, digest }, ...others],
  });
  await writeFile(join(folder, 'report.json'), JSON.stringify(report));
  return buildEvidence({
    decision: { decision: 'release', reasons: [] },
    report,
    suite: 'toolman',
    set: ['image.tag=1.4.0'],
    images,
    kindproof: { version: '0.1.0', commit: 'abc', dirty },
    files: await digestRunFiles(folder, ['report.json', 'missing.xml']),
    writtenAt: '2026-03-02T21:10:00.000Z',
  });
}

describe('buildEvidence', () => {
  it('contains decision, digests, results and uncovered requirements, and matches its schema', async () => {
    const built = await build(false);
    expect(evidence.parse(JSON.parse(JSON.stringify(built)))).toEqual(built);
    expect(built.files.map((f) => f.path)).toEqual(['report.json']);
    expect(built.kindproof.commit).toBe('abc');
    expect(built.subject.chart?.files.map((f) => f.path)).toEqual(['Chart.yaml']);
    expect(built.subject.values.map((f) => f.path)).toEqual(['values.yaml']);
    expect(built.subject.prerequisites.map((f) => f.path)).toEqual(['database.yaml']);
    expect(built.subject.images.map((i) => i.name)).toEqual(['toolman', 'migrate']);
    expect(built.checks[0]?.observed).not.toEqual([]);
    expect(built.requirements.uncovered).toEqual(['T-60']);
    expect(built.requirements.notApplicable).toEqual(['T-61']);
  });

  it('contains every image that ran, not only those that --image names', async () => {
    const built = await build(false);
    expect(built.images).toEqual(images.images);
    expect(built.imagesNotRun).toEqual(images.notRun);
  });

  it('counts no requirement as covered whose checks do not fit the subject', async () => {
    const misfit = sampleMisfit({ requirements: ['T-28', 'T-35'] });
    const { requirements, checks } = await build(false, [sampleCheck({ requirements: ['T-35'] }), misfit]);
    expect(requirements.covered).toEqual(['T-12', 'T-35', 'T-52', 'R-07']);
    expect(requirements.notApplicable).toEqual(['T-28', 'T-61']);
    expect(checks[1]).toMatchObject({ status: 'not-applicable', reason: 'the chart renders no Service' });
  });

  it('says that kindproof had uncommitted changes', async () => {
    expect((await build(true)).kindproof.commit).toBe('abc-dirty');
  });
});
