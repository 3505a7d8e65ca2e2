/** The report of a run: the contract of report.json, from which its JSON Schema is generated. */
import { z } from 'zod';
import { diagnosis } from '../../observe/diagnose/diagnosis.ts';

/**
 * - `failed`: the subject broke a promise. Only this status speaks against the subject.
 * - `warning`: the subject does not follow advice. Counts as passed, and is listed separately.
 * - `errored`: the engine, the cluster, a tool or the check itself failed, so nothing is known about the subject. Counts as failed.
 * - `skipped`: the cluster lacks a capability.
 * - `not-applicable`: the condition of the requirement does not hold for this subject, or the means of the check do not fit it. Counts as
 *   skipped; `reason` says what was missing.
 * - `blocked`: rests on a failure that another check reports. Counts as skipped.
 */
export const checkStatus = z.enum([
  'passed',
  'warning',
  'failed',
  'errored',
  'skipped',
  'not-applicable',
  'blocked',
]);

/** What a requirement is: a broken promise fails, ignored advice is a warning. */
export const requirementLevel = z.enum(['promise', 'advice']);

export const checkResult = z.object({
  /** `toolman/T-35`, with a suffix when several checks share their first requirement. */
  id: z.string(),
  suite: z.string(),
  file: z.string(),
  title: z.string(),
  requirements: z.array(z.string()),
  status: checkStatus,
  durationMs: z.number(),
  assertions: z.number(),
  /** What the check observed, also when it passed. */
  observed: z.array(z.string()).default([]),
  /** What the reader has to know although it is no defect; also shown without --verbose. */
  notes: z.array(z.string()).optional(),
  /** Why it did not pass, in one sentence. */
  reason: z.string().optional(),
  /** Of a blocked check: id of the check that reports the failure. */
  blockedBy: z.string().optional(),
  diagnosis: diagnosis.optional(),
  /** Earlier attempts, which failed while something stalled; the check was repeated. */
  attempts: z
    .array(
      z.object({
        startedAt: z.string(),
        durationMs: z.number(),
        /** Why it failed. */
        reason: z.string(),
        /** What stalled. */
        because: z.string(),
      }),
    )
    .optional(),
  /** By how much its waits exceeded their limits, because the machine was not able to work. */
  extendedMs: z.number().optional(),
  /** Paths relative to the run directory. */
  artifacts: z.array(z.string()).optional(),
  /** Of a warning about a requirement that is otherwise a promise: why it is advice here. */
  adviceBecause: z.string().optional(),
  startedAt: z.string(),
  /** Namespaces that the check worked in; they link it to the timelines. */
  namespaces: z.array(z.string()).default([]),
});

/**
 * - `missed`, `wrong-reason`: the checks do not detect the defect.
 * - `errored`: the engine, the cluster or a tool failed, so nothing is known about the fault.
 * - `not-provable`: the fault does not apply to this subject or cluster, so it counts neither way.
 */
export const proofOutcome = z.enum(['caught', 'missed', 'wrong-reason', 'errored', 'not-provable']);

export const proof = z.object({
  fault: z.string(),
  suite: z.string(),
  requirements: z.array(z.string()),
  outcome: proofOutcome,
  /** Ids of the checks that caught it: of each requirement the first that was red for the stated reason. */
  caughtBy: z.array(z.string()).optional(),
  /** What the check said under the fault, or why it does not count. */
  reason: z.string(),
  durationMs: z.number(),
  namespaces: z.array(z.string()).default([]),
});

export const phase = z.object({
  name: z.string(),
  startedAt: z.string(),
  durationMs: z.number(),
  status: z.enum(['passed', 'failed']).default('passed'),
});

export const podMoment = z.object({
  at: z.number(),
  pod: z.string(),
  container: z.string().optional(),
  kind: z.string(),
  text: z.string(),
  warning: z.boolean(),
});

/** A span in which something that the run relies on stood still, in ms since the epoch. */
export const stall = z.object({
  /** Completes "the … stalled": `machine`, `API server`, `node kp-desk-worker`. */
  place: z.string(),
  from: z.number(),
  to: z.number(),
});

/** The moments of all pods in one namespace. */
export const podTimeline = z.object({
  suite: z.string(),
  namespace: z.string(),
  title: z.string(),
  /** Ids of the checks that worked in the namespace. */
  checks: z.array(z.string()).default([]),
  startedAt: z.number(),
  endedAt: z.number(),
  moments: z.array(podMoment),
});

export const requirementRow = z.object({
  id: z.string(),
  suite: z.string(),
  source: z.string(),
  requirement: z.string(),
  checks: z.array(z.object({ file: z.string(), title: z.string() })),
  faults: z.array(z.string()),
  /** Absent: a promise. */
  level: requirementLevel.optional(),
  status: z.enum(['covered', 'uncovered', 'not-applicable']),
  reason: z.string().optional(),
});

/** What a run set out to do. Each entry must have exactly one result. */
export const runPlan = z.object({
  checks: z.array(
    checkResult.pick({ id: true, suite: true, requirements: true }).extend({
      /** `advice`: a failure is a warning. Absent: a promise. */
      level: requirementLevel.optional(),
    }),
  ),
  /** Faults that are not provable here are planned, too: their result says so. */
  proofs: z.array(proof.pick({ fault: true, suite: true, requirements: true })),
  /** Set with `--shard`: the run is one of `count` parts, which have `of` checks together. A pass is a pass of this part only. */
  shard: z.object({ index: z.number(), count: z.number(), of: z.number() }).optional(),
});

const sha256 = z.string().regex(/^[0-9a-f]{64}$/);
export const fileDigest = z.object({ path: z.string(), sha256 });

/** Digests of the copies of chart and values that were tested. */
export const subjectDigest = z.object({
  chart: z.object({
    /** Name of the folder or package. */
    path: z.string(),
    /** Of paths and contents of all files. */
    sha256,
    files: z.array(fileDigest),
    /** Of a package: of its bytes. */
    archive: sha256.optional(),
    /** Files that a link brings into the chart from outside of its folder. */
    outside: z.array(z.string()),
    /** Where a registry has it: `oci://…`, the tag, and the digest of its manifest. Absent for a chart of this machine. */
    published: z.object({ reference: z.string(), version: z.string(), digest: z.string() }).optional(),
  }),
  values: z.array(fileDigest),
  /** Absent when the chart was given none. */
  prerequisites: z.array(fileDigest).optional(),
});

/** A platform, with the digests of its description and of the programs that this names. */
export const subjectPlatform = z.object({
  name: z.string(),
  /** The description. */
  file: z.string(),
  files: z.array(fileDigest),
});

/** The version before a subject. */
export const previousSubject = z.object({
  chart: z.string(),
  /** Set for a reference: it has the files of the subject in this version, with differences of kindproof. */
  version: z.string().optional(),
  values: z.array(z.string()),
  digest: subjectDigest,
});

/** An image that was prepared for the nodes. */
export const preparedImage = z.object({
  ref: z.string(),
  source: z.enum(['present', 'built', 'pulled', 'unavailable']),
  /** Built by kindproof in place of the real image. */
  standIn: z.boolean(),
  /** Everything that a pod may show as the id of this image; empty when it was not loaded. */
  ids: z.array(z.string()),
  /** Digest of its manifest in the registry; absent when the engine knows none. */
  registryManifest: z.string().optional(),
  /** Digests of its manifest on the nodes. */
  nodeManifests: z.array(z.string()),
  /** `Deployment toolman: container toolman` */
  namedBy: z.array(z.string()),
});

const nodeWish = z.object({
  /** `3 workers`, `label disk=ssd on 1 worker`. */
  what: z.string(),
  /** `required anti-affinity of Deployment web over kubernetes.io/hostname`. */
  why: z.string(),
});

export const report = z.object({
  schemaVersion: z.literal(2),
  run: z.object({
    id: z.string(),
    startedAt: z.string(),
    durationMs: z.number(),
    command: z.string(),
    exitCode: z.number(),
    verdict: z.string(),
    /** Why there is no verdict: usage, infrastructure, interruption, or results that are incomplete. */
    error: z.object({ code: z.string(), message: z.string(), hint: z.string().optional() }).optional(),
  }),
  tools: z.record(z.string(), z.string()),
  cluster: z
    .object({
      provider: z.string(),
      name: z.string(),
      kubernetes: z.string(),
      nodes: z.array(
        z.object({
          name: z.string(),
          role: z.string(),
          labels: z.record(z.string(), z.string()),
          taints: z.array(z.string()),
          gpus: z.number(),
          /** Where the GPUs come from; absent on nodes without any. */
          gpuSource: z.enum(['status-patch', 'device-plugin', 'real']).optional(),
          kubelet: z.string(),
          runtime: z.string(),
        }),
      ),
      capabilities: z.array(z.object({ name: z.string(), present: z.boolean(), evidence: z.string() })),
      /** What the nodes have because the subject asks for it, and what it asks for in vain. Absent: nothing was asked or to be provided. */
      provided: z.object({ given: z.array(nodeWish), missing: z.array(nodeWish) }).optional(),
    })
    .optional(),
  subjects: z.array(
    z.object({
      suite: z.string(),
      /** Name of a further reference subject, which was tested or got faults; absent for the first one and for a chart of the user. */
      reference: z.string().optional(),
      chart: z.string(),
      values: z.array(z.string()),
      /** Manifests that were applied to its namespaces before it; absent when there were none. */
      prerequisites: z.array(z.string()).optional(),
      images: z.array(z.object({ name: z.string(), ref: z.string(), digest: z.string().optional() })),
      digest: subjectDigest.optional(),
      /** The platform that was tested in place of the chart. */
      platform: subjectPlatform.optional(),
      /** The version before, from which the subject was upgraded. */
      previous: previousSubject.optional(),
    }),
  ),
  images: z.array(preparedImage).optional(),
  phases: z.array(phase),
  /** Absent when the run ended before its checks were planned. */
  plan: runPlan.optional(),
  checks: z.array(checkResult),
  proofs: z.array(proof).optional(),
  requirements: z.array(requirementRow).optional(),
  timelines: z.array(podTimeline).optional(),
  /** Absent when nothing stalled. */
  stalls: z.array(stall).optional(),
  /** What the run left behind, and what could not be undone. A run that leaves something never ends with exit code 0. */
  leftovers: z.array(z.string()).optional(),
});

export type PlannedRun = z.infer<typeof runPlan>;
export type Report = z.infer<typeof report>;
export type CheckResult = z.infer<typeof checkResult>;
export type Stall = z.infer<typeof stall>;
export type Proof = z.infer<typeof proof>;
export type PodTimeline = z.infer<typeof podTimeline>;
export type RequirementRow = z.infer<typeof requirementRow>;
