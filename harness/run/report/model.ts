/** The report of a run: the contract of report.json, from which its JSON Schema is generated. */
import { z } from 'zod';
import { diagnosis } from '../../observe/diagnose/diagnosis.ts';

/**
 * - `failed`: the subject broke a promise. Only this status speaks against the subject.
 * - `errored`: the engine, the cluster or a tool failed, so nothing is known about the subject. Counts as failed.
 * - `skipped`: the cluster lacks a capability, or the subject has nothing that the check looks at.
 * - `blocked`: rests on a failure that another check reports. Counts as skipped.
 */
export const checkStatus = z.enum(['passed', 'failed', 'errored', 'skipped', 'blocked']);

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
  /** Why it did not pass, in one sentence. */
  reason: z.string().optional(),
  /** Of a blocked check: id of the check that reports the failure. */
  blockedBy: z.string().optional(),
  diagnosis: diagnosis.optional(),
  /** Paths relative to the run directory. */
  artifacts: z.array(z.string()).optional(),
  startedAt: z.string(),
  /** Namespaces that the check worked in; they link it to the timelines. */
  namespaces: z.array(z.string()).default([]),
});

export const proof = z.object({
  fault: z.string(),
  suite: z.string(),
  requirements: z.array(z.string()),
  outcome: z.enum(['caught', 'missed', 'wrong-reason']),
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
  status: z.enum(['covered', 'uncovered', 'not-applicable']),
  reason: z.string().optional(),
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
    /** Set when something other than a check ended the run: usage, infrastructure, interruption. */
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
    })
    .optional(),
  subjects: z.array(
    z.object({
      suite: z.string(),
      chart: z.string(),
      values: z.array(z.string()),
      images: z.array(z.object({ name: z.string(), ref: z.string(), digest: z.string().optional() })),
    }),
  ),
  phases: z.array(phase),
  checks: z.array(checkResult),
  proofs: z.array(proof).optional(),
  requirements: z.array(requirementRow).optional(),
  timelines: z.array(podTimeline).optional(),
  leftovers: z.array(z.string()).optional(),
});

export type Report = z.infer<typeof report>;
export type CheckResult = z.infer<typeof checkResult>;
export type Proof = z.infer<typeof proof>;
export type PodTimeline = z.infer<typeof podTimeline>;
export type RequirementRow = z.infer<typeof requirementRow>;
