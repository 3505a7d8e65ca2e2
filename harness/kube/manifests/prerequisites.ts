/** Manifests that a chart expects to find in its namespace: a Secret, a database, another service. */
import { readFile } from 'node:fs/promises';
import { messageOf, UsageError } from '../../core/errors.ts';
import type { KubeObject } from '../api/types.ts';
import { isClusterScoped } from './model/exists-once.ts';
import { nameOf } from './objects.ts';
import { parseManifests } from './parse.ts';

/**
 * The objects of these files, in their order.
 *
 * @throws UsageError `E_PREREQUISITES` with the file and what is wrong in it; `E_MANIFEST` for what is no manifest
 */
export async function readPrerequisites(files: readonly string[]): Promise<KubeObject[]> {
  return (await Promise.all(files.map(objectsOf))).flat();
}

async function objectsOf(file: string): Promise<KubeObject[]> {
  const text = await readFile(file, 'utf8').catch((error: unknown) => {
    const { code } = error as NodeJS.ErrnoException;
    const reasons: Record<string, string> = { ENOENT: 'does not exist', EISDIR: 'is a folder' };
    const why = reasons[code ?? ''] ?? `cannot be read (${code ?? messageOf(error)})`;
    throw bad(`the file of prerequisites ${file} ${why}`, 'Give files with manifests (YAML).');
  });
  const objects = parseManifests(text, file).map(({ object }) => object);
  if (objects.length === 0) throw bad(`${file} contains no objects`, 'Give files with manifests (YAML).');
  for (const object of objects) {
    const { namespace } = object.metadata;
    if (isClusterScoped(object)) {
      throw bad(
        `${file}: ${nameOf(object)} is cluster-scoped, and prerequisites are applied to each namespace of a release`,
        'Remove it from the file. Test on a cluster that has it: --cluster existing.',
      );
    }
    if (namespace !== undefined) {
      throw bad(
        `${file}: ${nameOf(object)} names the namespace ${namespace}, and the run installs each release into a namespace of its own`,
        'Remove metadata.namespace: the object is applied to the namespace of each release.',
      );
    }
  }
  return objects;
}

/**
 * helm refuses what somebody else has made, and plain manifests would replace it.
 *
 * @param rendered what the chart renders into `release.namespace`
 * @throws UsageError `E_PREREQUISITES` when the chart renders one of them itself
 */
export function refuseRendered(
  prerequisites: readonly KubeObject[],
  rendered: readonly KubeObject[],
  release: { namespace: string },
): void {
  const both = prerequisites.find((one) =>
    rendered.some(
      (other) =>
        nameOf(other) === nameOf(one) &&
        groupOf(other) === groupOf(one) &&
        (other.metadata.namespace ?? release.namespace) === release.namespace,
    ),
  );
  if (!both) return;
  throw bad(
    `${nameOf(both)} is a prerequisite, and the chart renders it`,
    `Remove ${nameOf(both)} from the prerequisites, or give values with which the chart does not render it.`,
  );
}

/** `apps` of `apps/v1`; empty for the core group. */
function groupOf({ apiVersion }: KubeObject): string {
  return apiVersion.split('/').slice(0, -1).join('/');
}

function bad(message: string, hint: string): UsageError {
  return new UsageError('E_PREREQUISITES', message, { hint });
}
