/** The files that the pods of a workload have from ConfigMaps and Secrets, against these objects. */
import { createHash } from 'node:crypto';
import { posix } from 'node:path';
import type { Container, KubeObject, PodSpec } from '../../../kube/api/types.ts';
import { allContainers, field } from '../../../kube/manifests/objects.ts';
import { dataSourcesOf } from '../../../kube/manifests/volume-sources.ts';
import { nothingWrong, type PredicateResult } from '../result.ts';

/** A file that a container should have. */
export interface MountedFile {
  container: string;
  /** In the container. */
  path: string;
  kind: 'ConfigMap' | 'Secret';
  name: string;
  key: string;
  /** The kubelet updates the files of a directory, and never one that is mounted by subPath. */
  use: 'volume' | 'sub-path';
}

type Find = (kind: MountedFile['kind'], name: string) => KubeObject | undefined;

interface VolumeFile extends Pick<MountedFile, 'kind' | 'name' | 'key'> {
  /** In the volume. */
  path: string;
}

/**
 * The files of the containers that keep running. A file that another mount covers is left out: charts replace single files like that.
 * Objects that do not exist have no files, and subPathExpr is not evaluated.
 *
 * @param find the object as it is in the cluster: it says which keys there are
 */
export function mountedFiles(spec: PodSpec, find: Find): MountedFile[] {
  const running = allContainers(spec).filter(({ role }) => role === 'main' || role === 'sidecar');
  return running.flatMap(({ container }) => filesOfContainer(spec, container, find));
}

function filesOfContainer(
  spec: PodSpec,
  { name: container, volumeMounts = [] }: Container,
  find: Find,
): MountedFile[] {
  const mountPaths = volumeMounts.map(({ mountPath }) => posix.normalize(`${mountPath}/`).slice(0, -1));
  return volumeMounts.flatMap((mount, index) => {
    const at = mountPaths[index] ?? '';
    if (field(mount, 'subPathExpr') !== undefined) return [];
    return volumeFiles(spec, mount.name, find).flatMap(({ path: inVolume, ...from }): MountedFile[] => {
      const part = below(inVolume, mount.subPath);
      if (part === undefined) return [];
      const path = part === '' ? at : `${at}/${part}`;
      const isCovered = mountPaths.some(
        (other, otherIndex) =>
          otherIndex !== index &&
          other.length > at.length &&
          (path === other || path.startsWith(`${other}/`)),
      );
      if (isCovered) return [];
      return [{ container, path, ...from, use: mount.subPath === undefined ? 'volume' : 'sub-path' }];
    });
  });
}

/** The rest of a path in a folder; empty for the file itself; `undefined` outside. */
function below(path: string, folder = ''): string | undefined {
  const parent = posix.normalize(folder).replace(/\/$/, '');
  if (parent === '.' || parent === '') return path;
  if (path === parent) return '';
  return path.startsWith(`${parent}/`) ? path.slice(parent.length + 1) : undefined;
}

function volumeFiles(spec: PodSpec, volumeName: string, find: Find): VolumeFile[] {
  const volume = spec.volumes?.find(({ name }) => name === volumeName);
  return (volume ? dataSourcesOf(volume) : []).flatMap(({ kind, name, items }) => {
    const object = find(kind, name);
    if (!object) return [];
    const keys = Object.keys(contentOf(object));
    return (items ?? keys.map((key) => ({ key, path: key })))
      .filter(({ key }) => keys.includes(key))
      .map(({ key, path }) => ({ kind, name, key, path: posix.normalize(path) }));
  });
}

/** The bytes of each key. */
function contentOf(object: KubeObject): Record<string, Buffer> {
  const texts = (field(object, 'data') ?? {}) as Record<string, string>;
  const binary = (field(object, 'binaryData') ?? {}) as Record<string, string>;
  const isSecret = object.kind === 'Secret';
  return Object.fromEntries([
    ...Object.entries(texts).map(
      ([key, text]) => [key, Buffer.from(text, isSecret ? 'base64' : 'utf8')] as const,
    ),
    ...Object.entries(binary).map(([key, text]) => [key, Buffer.from(text, 'base64')] as const),
  ]);
}

/** SHA-256 of the content of a key, in hexadecimal; `undefined` without the key. */
export function hashOfKey(object: KubeObject, key: string): string | undefined {
  const bytes = contentOf(object)[key];
  return bytes && createHash('sha256').update(bytes).digest('hex');
}

/** What a container of a pod has. */
export interface FoundFile extends MountedFile {
  pod: string;
  /** SHA-256 of the file; `undefined` when it is missing. */
  found: string | undefined;
  /** SHA-256 of what the object has. */
  wanted: string | undefined;
}

/** Whether the file has the bytes of the object. */
export function isCurrent({ found, wanted }: FoundFile): boolean {
  return found !== undefined && found === wanted;
}

/** Every file has the bytes of its ConfigMap or Secret. */
export function filesAreCurrent(files: readonly FoundFile[]): PredicateResult {
  const complaints = files
    .filter((file) => !isCurrent(file))
    .map(({ pod, container, path, kind, name, key, use, found }) => {
      const how = use === 'sub-path' ? ': it is mounted by subPath, which is never updated' : '';
      const what = found === undefined ? `has no file ${path} with` : `has other bytes in ${path} than`;
      return `${pod}/${container} ${what} key ${key} of ${kind} ${name}${how}`;
    });
  const sources = new Set(files.map(({ kind, name }) => `${kind} ${name}`));
  const pods = new Set(files.map(({ pod }) => pod));
  return {
    ...nothingWrong('every mounted file has the bytes of its ConfigMap or Secret', complaints),
    observed: [`${files.length} files of ${[...sources].join(', ')} in ${pods.size} pods`],
  };
}
