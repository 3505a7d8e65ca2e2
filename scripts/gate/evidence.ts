/** evidence.json: what was tested, with which tools, and the results, in one file to archive. */
import { join } from 'node:path';
import { z } from 'zod';
import { fileDigest } from '../../harness/kube/helm/subject-digest.ts';
import { checksOf } from '../../harness/run/report/coverage.ts';
import {
  checkStatus,
  fileDigest as fileDigestSchema,
  previousSubject,
  proof,
  subjectDigest,
  subjectPlatform,
  type Report,
  type RequirementRow,
} from '../../harness/run/report/model.ts';
import { isDecided, isNotApplicable } from '../../harness/run/report/status.ts';
import type { Decision } from './decide.ts';
import type { ImageEvidence } from './images-that-ran.ts';
import type { OwnVersion } from './own-version.ts';

export const evidence = z.object({
  schemaVersion: z.literal(1),
  verdict: z.enum(['release', 'do not release', 'no verdict']),
  reasons: z.array(z.string()),
  writtenAt: z.string(),
  /** The commit of kindproof, with `-dirty` for uncommitted changes; absent outside a git checkout. */
  kindproof: z.object({ version: z.string(), commit: z.string().optional() }),
  run: z.object({ id: z.string(), startedAt: z.string(), durationMs: z.number(), command: z.string() }),
  tools: z.record(z.string(), z.string()),
  cluster: z.object({ provider: z.string(), kubernetes: z.string(), nodes: z.number() }).optional(),
  subject: z.object({
    suite: z.string(),
    /** Absent when the run ended before the chart was copied. */
    chart: subjectDigest.shape.chart.optional(),
    values: subjectDigest.shape.values,
    /** The platform that was tested in place of the chart. */
    platform: subjectPlatform.optional(),
    /** The version before, from which it was upgraded; absent when none was given. */
    previous: previousSubject.optional(),
    set: z.array(z.string()),
    /** What the chart found in its namespaces; not part of what is released. */
    prerequisites: subjectDigest.shape.values,
    /** The images that `--image` names. */
    images: z.array(z.object({ name: z.string(), ref: z.string(), digest: z.string().optional() })),
  }),
  /** Every image that a pod of the checks ran, with the digest of its manifest or the reason why there is none. */
  images: z.array(
    z.object({
      ref: z.string(),
      id: z.string(),
      manifest: z.string().optional(),
      withoutManifest: z.string().optional(),
      nodeManifests: z.array(z.string()),
      standIn: z.boolean(),
      containers: z.array(z.string()),
      pods: z.number(),
    }),
  ),
  /** Images that the chart names and that no pod ran. */
  imagesNotRun: z.array(z.object({ ref: z.string(), namedBy: z.array(z.string()) })),
  checks: z.array(
    z.object({
      id: z.string(),
      title: z.string(),
      requirements: z.array(z.string()),
      status: checkStatus,
      assertions: z.number(),
      observed: z.array(z.string()),
      reason: z.string().optional(),
    }),
  ),
  /** Injected faults, and those that are not provable with this subject. */
  proofs: z.array(proof.omit({ durationMs: true })),
  /** Which requirements of the suite's catalogue the results cover. */
  requirements: z.object({
    covered: z.array(z.string()),
    uncovered: z.array(z.string()),
    /** In the catalogue, or because no check of the requirement fits the subject. */
    notApplicable: z.array(z.string()),
  }),
  /** Files of the run directory when the evidence was written. */
  files: z.array(fileDigestSchema),
});

export type Evidence = z.infer<typeof evidence>;

/** Builds the evidence. Pure. */
export function buildEvidence(input: {
  decision: Decision;
  report: Report;
  suite: string;
  set: readonly string[];
  images: ImageEvidence;
  kindproof: OwnVersion;
  files: readonly { path: string; sha256: string }[];
  writtenAt: string;
}): Evidence {
  const { report, decision, suite, images } = input;
  const rows = report.requirements ?? [];
  const statusOf = (row: RequirementRow): RequirementRow['status'] =>
    row.status === 'covered' && isUnfit(row, report) ? 'not-applicable' : row.status;
  const ids = (status: RequirementRow['status']): string[] =>
    rows.filter((row) => statusOf(row) === status).map((row) => row.id);
  const { cluster } = report;
  const subject = report.subjects.find((s) => s.suite === suite);
  const { version, commit, dirty } = input.kindproof;
  return evidence.parse({
    schemaVersion: 1,
    verdict: decision.decision,
    reasons: decision.reasons,
    writtenAt: input.writtenAt,
    kindproof: {
      version,
      ...(commit === undefined ? {} : { commit: dirty ? `${commit}-dirty` : commit }),
    },
    run: {
      id: report.run.id,
      startedAt: report.run.startedAt,
      durationMs: report.run.durationMs,
      command: report.run.command,
    },
    tools: report.tools,
    ...(cluster
      ? {
          cluster: {
            provider: cluster.provider,
            kubernetes: cluster.kubernetes,
            nodes: cluster.nodes.length,
          },
        }
      : {}),
    subject: {
      suite,
      chart: subject?.digest?.chart,
      values: subject?.digest?.values ?? [],
      platform: subject?.platform,
      previous: subject?.previous,
      set: [...input.set],
      prerequisites: subject?.digest?.prerequisites ?? [],
      images: subject?.images ?? [],
    },
    images: images.images,
    imagesNotRun: images.notRun,
    checks: report.checks,
    proofs: report.proofs ?? [],
    requirements: {
      covered: ids('covered'),
      uncovered: ids('uncovered'),
      notApplicable: ids('not-applicable'),
    },
    files: [...input.files],
  });
}

/** None of its checks says anything about the subject, because they do not fit it. */
function isUnfit(row: RequirementRow, report: Report): boolean {
  const checks = checksOf(row, report);
  return checks.some(isNotApplicable) && !checks.some(isDecided);
}

/** Digests of those files of a run directory that exist. */
export async function digestRunFiles(
  runDirectory: string,
  names: readonly string[],
): Promise<{ path: string; sha256: string }[]> {
  const digests = await Promise.all(
    names.map(async (path) => ({
      path,
      sha256: await fileDigest(join(runDirectory, path)).catch(() => undefined),
    })),
  );
  return digests.flatMap(({ path, sha256: digest }) =>
    digest === undefined ? [] : [{ path, sha256: digest }],
  );
}
