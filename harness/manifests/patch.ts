/** JSON Patches (RFC 6902) over rendered manifests: how a fault is put into a subject without touching its chart. */
import { applyPatch } from 'rfc6902';
import { UsageError } from '../core/errors.ts';
import type { KubeObject } from '../kube/types.ts';

/** One operation of RFC 6902; paths are JSON Pointers, `/spec/template/spec/containers/0/image`. */
export type PatchOperation =
  | { op: 'add' | 'replace' | 'test'; path: string; value: unknown }
  | { op: 'remove'; path: string }
  | { op: 'move' | 'copy'; from: string; path: string };

export interface ManifestPatch {
  /** Every rendered object of that kind, or the one of that name. Helm does not pass hooks through, so they cannot be patched. */
  target: { kind: string; name?: string };
  ops: readonly PatchOperation[];
}

/**
 * Applies patches in order and returns new objects; the given ones stay as they are.
 *
 * @throws UsageError E_PATCH_TARGET when a patch selects nothing: a fault that was not put in proves nothing
 * @throws UsageError E_PATCH when an operation cannot be applied, e.g. its path does not exist
 */
export function patchObjects<T extends KubeObject>(
  objects: readonly T[],
  patches: readonly ManifestPatch[],
): T[] {
  const patched = objects.map((object) => structuredClone(object));
  for (const patch of patches) {
    const selected = patched.filter((object) => selects(patch, object));
    if (selected.length === 0) {
      throw new UsageError('E_PATCH_TARGET', `the patch of ${targetName(patch)} selects nothing`, {
        hint: `Rendered are: ${objects.map((o) => `${o.kind} ${o.metadata.name}`).join(', ')}`,
      });
    }
    for (const object of selected) applyTo(object, patch);
  }
  return patched;
}

/** Whether the patch is meant for the object. */
export function selects(patch: ManifestPatch, object: KubeObject): boolean {
  const { kind, name } = patch.target;
  return object.kind === kind && (name === undefined || object.metadata.name === name);
}

function applyTo(object: KubeObject, patch: ManifestPatch): void {
  // The library keeps a reference to `value`; two targets must not share it.
  const operations = structuredClone([...patch.ops]);
  for (const operation of operations) {
    const [error] = applyPatch(object, [operation]);
    if (!error) continue;
    throw new UsageError(
      'E_PATCH',
      `${operation.op} ${operation.path} cannot be applied to ${object.kind} ${object.metadata.name}: ${error.message}`,
      { cause: error, hint: 'Compare the path with what the chart renders (`helm template`).' },
    );
  }
}

function targetName({ target }: ManifestPatch): string {
  return target.name === undefined ? `every ${target.kind}` : `${target.kind} ${target.name}`;
}
