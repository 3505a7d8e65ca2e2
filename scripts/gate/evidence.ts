/** evidence.json: what was tested, with which tools, and the results, in one file to archive. */
import { basename, join } from 'node:path';
import { z } from 'zod';
import { checkStatus, proof, type Report } from '../../harness/run/report/model.ts';
import type { Decision } from './decide.ts';
import { fileDigest, treeDigest, type TreeDigest } from './digest.ts';

const sha256 = z.string().regex(/^[0-9a-f]{64}$/);
const fileDigestSchema = z.object({ path: z.string(), sha256 });

export const evidence = z.object({
  schemaVersion: z.literal(1),
  verdict: z.enum(['release', 'do not release', 'no verdict']),
  reasons: z.array(z.string()),
  writtenAt: z.string(),
  /** The commit of kindproof, with `-dirty` for modified files; absent outside a git checkout. */
  kindproof: z.object({ version: z.string(), commit: z.string().optional() }),
  run: z.object({ id: z.string(), startedAt: z.string(), durationMs: z.number(), command: z.string() }),
  tools: z.record(z.string(), z.string()),
  cluster: z.object({ provider: z.string(), kubernetes: z.string(), nodes: z.number() }).optional(),
  subject: z.object({
    suite: z.string(),
    chart: z.object({ path: z.string(), sha256, files: z.array(fileDigestSchema) }),
    values: z.array(fileDigestSchema),
    set: z.array(z.string()),
    images: z.array(z.object({ name: z.string(), ref: z.string(), digest: z.string().optional() })),
  }),
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
  proofs: z.array(proof.omit({ durationMs: true })),
  /** Which requirements of the suite's catalogue the results cover. */
  requirements: z.object({
    covered: z.array(z.string()),
    uncovered: z.array(z.string()),
    notApplicable: z.array(z.string()),
  }),
  /** Files of the run directory when the evidence was written. */
  files: z.array(fileDigestSchema),
});

export type Evidence = z.infer<typeof evidence>;

/** Digests of the subject, taken before the run. */
export interface SubjectDigests {
  chart: TreeDigest & { path: string };
  values: { path: string; sha256: string }[];
}

/** Digests of a chart and its values files; names without folders, which differ between machines. */
export async function digestSubject(chart: string, values: readonly string[]): Promise<SubjectDigests> {
  return {
    chart: { path: basename(chart), ...(await treeDigest(chart)) },
    values: await Promise.all(
      values.map(async (file) => ({ path: basename(file), sha256: await fileDigest(file) })),
    ),
  };
}

/** Whether a subject is unchanged. */
export function sameSubject(before: SubjectDigests, after: SubjectDigests): boolean {
  return (
    before.chart.sha256 === after.chart.sha256 &&
    before.values.length === after.values.length &&
    before.values.every((file, index) => file.sha256 === after.values[index]?.sha256)
  );
}

/** Builds the evidence. Pure. */
export function buildEvidence(input: {
  decision: Decision;
  report: Report;
  suite: string;
  subject: SubjectDigests;
  set: readonly string[];
  kindproof: Evidence['kindproof'];
  files: readonly { path: string; sha256: string }[];
  writtenAt: string;
}): Evidence {
  const { report, decision, suite } = input;
  const rows = report.requirements ?? [];
  const ids = (status: (typeof rows)[number]['status']): string[] =>
    rows.filter((row) => row.status === status).map((row) => row.id);
  const { cluster } = report;
  return evidence.parse({
    schemaVersion: 1,
    verdict: decision.decision,
    reasons: decision.reasons,
    writtenAt: input.writtenAt,
    kindproof: input.kindproof,
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
      chart: input.subject.chart,
      values: input.subject.values,
      set: [...input.set],
      images: report.subjects.find((s) => s.suite === suite)?.images ?? [],
    },
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
