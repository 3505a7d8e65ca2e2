/** What diagnosis finds out about a failure, as the report shows it. */
import { z } from 'zod';

/** One link of the chain of causes, from what was asked to the root: workload, pod, container, event, node. */
export const cause = z.object({
  /** `Deployment toolman`, `Pod toolman-7c9d-x2l4`, … */
  object: z.string(),
  says: z.string(),
});

export const diagnosis = z.object({
  /** What went wrong, one sentence. */
  summary: z.string(),
  expected: z.string().optional(),
  actual: z.string().optional(),
  causes: z.array(cause),
  /** What to do about the root cause, where that is known. */
  hint: z.string().optional(),
  timeline: z.array(z.object({ afterMs: z.number(), text: z.string() })),
});

export type Diagnosis = z.infer<typeof diagnosis>;
export type Cause = z.infer<typeof cause>;
