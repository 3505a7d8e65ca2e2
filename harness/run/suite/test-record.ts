/**
 * The channel from the worker to the main process: what a vitest test says about itself, in the meta data of its task. Values have to
 * survive a structured clone. The main process parses each record before it believes it.
 */
import { z } from 'zod';
import type { FoundSecrets } from '../../core/redact.ts';
import { checkResult, proof, stall } from '../report/model.ts';

/** A check as its file declares it. */
export const declaredCheck = z.object({
  id: z.string().min(1),
  file: z.string(),
  requirements: z.array(z.string()).min(1),
  title: z.string(),
  /** What `--tags` selects by. */
  tags: z.array(z.string()),
  /** Names of the images that only this check and others like it need. */
  images: z.array(z.string()).optional(),
});

const infrastructureFailure = z.object({
  code: z.string(),
  message: z.string(),
  hint: z.string().optional(),
});

const outcome = z.object({
  /** Proven before a check relied on them. */
  capabilities: z.array(z.object({ name: z.string(), present: z.boolean(), evidence: z.string() })),
  /** Set when the cluster failed, not the subject: the run ends. */
  infrastructure: infrastructureFailure.optional(),
  /** In the time of the check or proof. */
  stalls: z.array(stall).optional(),
  /** About the whole run, for its reader. */
  notice: z.string().optional(),
});

const checkOutcome = outcome.extend({
  result: checkResult.refine(({ status, assertions }) => status !== 'passed' || assertions > 0, {
    error: 'a check cannot pass without an assertion',
  }),
});

const proofOutcome = outcome.extend({ proof });

export const testRecord = z.discriminatedUnion('type', [
  z.object({
    type: z.literal('check'),
    check: declaredCheck,
    /** `false`: not part of this run. */
    selected: z.boolean(),
    /** Set when the check has ended; absent when it died outside of the kit. */
    outcome: checkOutcome.optional(),
  }),
  z.object({
    type: z.literal('proof'),
    fault: proof.pick({ fault: true, suite: true, requirements: true }),
    outcome: proofOutcome.optional(),
  }),
]);

export type TestRecord = z.infer<typeof testRecord>;
export type CheckOutcome = z.infer<typeof checkOutcome>;
export type ProofOutcome = z.infer<typeof proofOutcome>;
export type InfrastructureFailure = z.infer<typeof infrastructureFailure>;
export type DeclaredCheck = z.infer<typeof declaredCheck>;

declare module 'vitest' {
  interface TaskMeta {
    kindproof?: TestRecord;
    /** What the worker has learned of secrets so far, so that the main process redacts it, too. Never written. */
    kindproofSecrets?: FoundSecrets;
  }
}
