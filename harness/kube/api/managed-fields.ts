import type { KubeObject } from './types.ts';

/**
 * The object without the record of who owns which field: of no use to a reader, more than half of an object, and refused when
 * sent back with server-side apply.
 */
export function withoutManagedFields(object: KubeObject): KubeObject {
  const metadata: KubeObject['metadata'] & { managedFields?: unknown } = { ...object.metadata };
  delete metadata.managedFields;
  return { ...object, metadata };
}
