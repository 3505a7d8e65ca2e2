/** The diagnosis of a failed check, as the report contains it. */
import { z } from 'zod';

/** One link in a chain of causes, which leads from the examined object to the root: workload, pod, container, event, node. */
export const cause = z.object({
  /** `Deployment toolman`, `Pod toolman-7c9d-x2l4`, … */
  object: z.string(),
  /** Completes the sentence that starts with `object`. */
  says: z.string(),
});

export const diagnosis = z.object({
  /** What went wrong, one sentence. */
  summary: z.string(),
  expected: z.string().optional(),
  actual: z.string().optional(),
  causes: z.array(cause),
  /** How to fix the root cause, where known. */
  hint: z.string().optional(),
  timeline: z.array(z.object({ afterMs: z.number(), text: z.string() })),
});

export type Diagnosis = z.infer<typeof diagnosis>;
export type Cause = z.infer<typeof cause>;
