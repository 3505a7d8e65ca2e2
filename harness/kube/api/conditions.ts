/** Conditions, by which an object's controllers say how it is. */
import type { Condition } from './types.ts';

/** Whether an object has the condition: it is there, and `True`. `Unknown` is not. */
export function hasCondition(
  object: { status?: { conditions?: readonly Condition[] } } | undefined,
  type: string,
): boolean {
  return object?.status?.conditions?.some((c) => c.type === type && c.status === 'True') ?? false;
}
