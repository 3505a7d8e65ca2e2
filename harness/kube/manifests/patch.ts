/** JSON Patches (RFC 6902) on rendered manifests. Faults use them to change a subject without changing its chart. */
import { applyPatch } from 'rfc6902';
import { UsageError } from '../../core/errors.ts';
import type { Container, KubeObject } from '../api/types.ts';
import { handOver, type GivenSetting } from './hand-over.ts';
import { allContainers, podSpecOf } from './objects.ts';

/**
 * One operation of RFC 6902. Paths are JSON Pointers, `/spec/template/spec/containers/0/image`. A list element can also be selected
 * by a field, as its index may change: `/spec/template/spec/containers/[name=api]/image`.
 */
export type PatchOperation =
  | { op: 'add' | 'replace' | 'test'; path: string; value: unknown }
  | { op: 'remove'; path: string }
  | { op: 'move' | 'copy'; from: string; path: string };

export type ManifestPatch = ObjectPatch | ImagesPatch | SettingsPatch;

export interface ObjectPatch {
  /** All rendered objects of this kind, or the named one. Hooks cannot be patched: helm does not pass them to a post-renderer. */
  target: { kind: string; name?: string };
  ops: readonly PatchOperation[];
  /**
   * Ends without an error at what was not rendered: for objects and list elements that exist only with certain values. A fault that was
   * applied nowhere is missed, so it is noticed.
   */
  whereRendered?: boolean;
}

/** Replaces the image of every container with this name, in all workloads, init containers included. */
export interface ImagesPatch {
  /** Container name -> reference. */
  images: Readonly<Record<string, string>>;
}

/** Gives the containers other values for their settings, wherever these are written. */
export interface SettingsPatch {
  settings: readonly GivenSetting[];
}

/**
 * Applies patches in order and returns new objects; the input is not changed.
 *
 * @throws UsageError E_PATCH_TARGET when a patch selects nothing: a fault that was not injected proves nothing
 * @throws UsageError E_PATCH when an operation cannot be applied, e.g. its path does not exist
 */
export function patchObjects<T extends KubeObject>(
  objects: readonly T[],
  patches: readonly ManifestPatch[],
): T[] {
  const patched = objects.map((object) => structuredClone(object));
  for (const patch of patches) {
    if ('settings' in patch) {
      for (const setting of patch.settings) handOver(patched, setting);
      continue;
    }
    const selected = patched.filter((object) => selects(patch, object));
    if (selected.length === 0 && !isOptional(patch)) {
      throw new UsageError('E_PATCH_TARGET', `the patch of ${targetName(patch)} selects nothing`, {
        hint: `The rendered objects are: ${objects.map((o) => `${o.kind} ${o.metadata.name}`).join(', ')}`,
      });
    }
    for (const object of selected) {
      if ('images' in patch) setImages(object, patch);
      else applyTo(object, patch);
    }
  }
  return patched;
}

function isOptional(patch: ManifestPatch): boolean {
  return 'target' in patch && patch.whereRendered === true;
}

/** Whether the patch applies to the object. */
function selects(patch: ObjectPatch | ImagesPatch, object: KubeObject): boolean {
  if ('images' in patch) return containersOf(object).some(({ name }) => name in patch.images);
  const { kind, name } = patch.target;
  return object.kind === kind && (name === undefined || object.metadata.name === name);
}

function containersOf(object: KubeObject): Container[] {
  const spec = podSpecOf(object);
  return spec ? allContainers(spec).map(({ container }) => container) : [];
}

function setImages(object: KubeObject, { images }: ImagesPatch): void {
  for (const container of containersOf(object)) container.image = images[container.name] ?? container.image;
}

function applyTo(object: KubeObject, patch: ObjectPatch): void {
  // rfc6902 stores a reference to `value`; two targets must not share it.
  const operations = structuredClone([...patch.ops]);
  for (const operation of operations) {
    const counted = countedPaths(object, operation);
    const error = counted instanceof Error ? counted : applyPatch(object, [counted])[0];
    if (!error) continue;
    if (isOptional(patch)) return;
    throw new UsageError(
      'E_PATCH',
      `${operation.op} ${operation.path} cannot be applied to ${object.kind} ${object.metadata.name}: ${error.message}`,
      { cause: error, hint: 'Compare the path with the rendered object (`helm template`).' },
    );
  }
}

/** The operation with list indexes in place of `[field=value]`; an Error when no element matches. */
function countedPaths(object: KubeObject, operation: PatchOperation): PatchOperation | Error {
  const path = countedPath(object, operation.path);
  if (path instanceof Error) return path;
  if (!('from' in operation)) return { ...operation, path };
  const from = countedPath(object, operation.from);
  return from instanceof Error ? from : { ...operation, path, from };
}

function countedPath(object: KubeObject, path: string): string | Error {
  let here: unknown = object;
  const counted: string[] = [];
  // A `/` inside the brackets is escaped as `~1`, as in any JSON Pointer.
  for (const segment of path.split('/').slice(1)) {
    const named = /^\[([^=]+)=(.*)\]$/.exec(segment);
    let key = segment.replaceAll('~1', '/').replaceAll('~0', '~');
    if (named) {
      const [field = '', value] = [named[1], named[2]?.replaceAll('~1', '/').replaceAll('~0', '~')];
      const index = Array.isArray(here)
        ? here.findIndex((item: unknown) => String((item as Record<string, unknown>)[field]) === value)
        : -1;
      if (index < 0) return new Error(`no list element has ${field} ${String(value)}`);
      key = String(index);
    }
    counted.push(named ? key : segment);
    here = typeof here === 'object' && here !== null ? (here as Record<string, unknown>)[key] : undefined;
  }
  return counted.map((segment) => `/${segment}`).join('');
}

function targetName(patch: ObjectPatch | ImagesPatch): string {
  if ('images' in patch) return `the image of container ${Object.keys(patch.images).join(', ')}`;
  const { target } = patch;
  return target.name === undefined ? `every ${target.kind}` : `${target.kind} ${target.name}`;
}
