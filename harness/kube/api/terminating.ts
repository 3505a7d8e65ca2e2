/** Why an object that was deleted still exists. */
import { conditionsOf } from './conditions.ts';
import type { KubeObject } from './types.ts';

/**
 * One sentence, `undefined` for an object that is not being deleted. The namespace controller reports in conditions what it waits for
 * (Kubernetes, pkg/controller/namespace/deletion/status_condition_utils.go); other objects wait for their finalizers.
 */
export function whyTerminating(object: KubeObject): string | undefined {
  const { deletionTimestamp, finalizers = [] } = object.metadata;
  if (deletionTimestamp === undefined) return undefined;
  const reported = conditionsOf(object)
    .filter(({ type, status }) => type.startsWith('Namespace') && status === 'True')
    .map(({ message }) => message)
    .filter((message) => message !== undefined);
  if (reported.length > 0) return reported.join('; ');
  if (finalizers.length === 0) return 'it is being deleted';
  return `it waits for its finalizers ${finalizers.join(', ')}`;
}
