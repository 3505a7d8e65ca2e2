/** The conditions of objects whose kind has no type here. */
import { z } from 'zod';
import type { Condition, KubeObject } from './types.ts';

const withConditions = z.looseObject({
  status: z
    .looseObject({
      conditions: z
        .array(
          z.looseObject({
            type: z.string(),
            status: z.enum(['True', 'False', 'Unknown']).catch('Unknown'),
            reason: z.string().optional(),
            message: z.string().optional(),
            lastTransitionTime: z.string().optional(),
          }),
        )
        .nullish(),
    })
    .nullish(),
});

/** `status.conditions`; none of an object that is absent, that its controller has not looked at, or that has them in another form. */
export function conditionsOf(object: KubeObject | undefined): Condition[] {
  const conditions = withConditions.safeParse(object).data?.status?.conditions ?? [];
  return conditions.map(({ type, status, reason, message, lastTransitionTime }) => ({
    type,
    status,
    ...(reason !== undefined && { reason }),
    ...(message !== undefined && { message }),
    ...(lastTransitionTime !== undefined && { lastTransitionTime }),
  }));
}
