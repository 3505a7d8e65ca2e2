/** Helpers for API objects of any kind. */
import type { Condition, KubeObject } from './types.ts';

/** Identity of an object over time: a name can be reused (StatefulSet), a uid cannot. Falls back to the name for objects without uid. */
export function uidOf({ kind, metadata }: KubeObject): string {
  return metadata.uid ?? `${kind}/${metadata.namespace ?? ''}/${metadata.name}`;
}

/** Whether the object has the condition with status `True`; `Unknown` does not count. */
export function hasCondition(
  object: { status?: { conditions?: readonly Condition[] } } | undefined,
  type: string,
): boolean {
  return object?.status?.conditions?.some((c) => c.type === type && c.status === 'True') ?? false;
}

/** An API time in ms since the epoch; undefined when absent or invalid. */
export function timeOf(time: string | undefined | null): number | undefined {
  if (time === undefined || time === null) return undefined;
  const ms = Date.parse(time);
  return Number.isNaN(ms) ? undefined : ms;
}

/** The object without `managedFields`: they make up more than half of an object, and server-side apply rejects them. */
export function withoutManagedFields(object: KubeObject): KubeObject {
  const metadata: KubeObject['metadata'] & { managedFields?: unknown } = { ...object.metadata };
  delete metadata.managedFields;
  return { ...object, metadata };
}
