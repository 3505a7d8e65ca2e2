/** The migration script that a container runs from a ConfigMap of the manifests. */
import type { PredicateResult } from '../../../harness/observe/predicates/result.ts';
import { CheckFailure } from '../../../harness/core/errors.ts';
import type { Container, KubeObject, PodSpec } from '../../../harness/kube/api/types.ts';
import { field, nameOf, podSpecOf } from '../../../harness/kube/manifests/objects.ts';

/** "Permissions (…) 0644 by default" (ConfigMapVolumeSource v1 core). */
const DEFAULT_MODE = 0o644;
const EXECUTABLE = 0o111;

export interface MigrationScript {
  /** Path in the container. */
  path: string;
  configMap: string;
  key: string;
  mode: number;
  /** As written in the manifest. */
  readOnly: boolean;
  /** The command is the script itself, not a shell that reads it: then its first line has to name an interpreter. */
  isCommand: boolean;
}

/**
 * The file of a ConfigMap volume that the command of a container of the Deployment names.
 *
 * @throws CheckFailure E_NO_SCRIPT when it names none
 */
export function migrationScript(deployment: KubeObject, container: Container): MigrationScript {
  const spec = podSpecOf(deployment) ?? { containers: [] };
  const words = [...(container.command ?? []), ...(container.args ?? [])];
  const found = words
    .flatMap((word) => word.split(/\s+/))
    .map((word) => fromConfigMap(spec, container, word))
    .find((script) => script !== undefined);
  if (found) return { ...found, isCommand: words[0] === found.path };
  throw new CheckFailure(
    'E_NO_SCRIPT',
    `container ${container.name} of ${nameOf(deployment)} runs no script of a mounted ConfigMap, but: ${words.join(' ') || 'the command of its image'}`,
  );
}

function fromConfigMap(
  spec: PodSpec,
  { volumeMounts = [] }: Container,
  path: string,
): Omit<MigrationScript, 'isCommand'> | undefined {
  for (const { name, mountPath, subPath, readOnly = false } of volumeMounts) {
    const source = spec.volumes?.find((volume) => volume.name === name)?.configMap;
    const isWhole = subPath === undefined;
    if (!source || !(isWhole ? path.startsWith(`${mountPath}/`) : path === mountPath)) continue;
    const file = isWhole ? path.slice(mountPath.length + 1) : subPath;
    const item = source.items?.find((entry) => entry.path === file);
    const mode = Number(field(item, 'mode') ?? field(source, 'defaultMode') ?? DEFAULT_MODE);
    return { path, configMap: source.name, key: item?.key ?? file, mode, readOnly };
  }
  return undefined;
}

/** The ConfigMap has the script, and it is mounted executable and read-only. */
export function scriptIsMounted(script: MigrationScript, objects: readonly KubeObject[]): PredicateResult {
  const { path, configMap, key, mode, readOnly, isCommand } = script;
  const source = objects.find((o) => o.kind === 'ConfigMap' && o.metadata.name === configMap);
  const text = (field(source, 'data') as Record<string, string> | undefined)?.[key];
  const details = [
    ...(text === undefined ? [`ConfigMap ${configMap} has no key ${key}`] : []),
    ...(text !== undefined && !text.startsWith('#!') && isCommand
      ? [`${key} names no interpreter (#!)`]
      : []),
    ...((mode & EXECUTABLE) === EXECUTABLE ? [] : [`${path} has mode ${mode.toString(8)}, not executable`]),
    ...(readOnly ? [] : [`${path} is not mounted read-only`]),
  ];
  return {
    ok: details.length === 0,
    expected: `${path} from a ConfigMap, executable and read-only`,
    actual: details[0] ?? `key ${key} of ConfigMap ${configMap}, mode ${mode.toString(8)}`,
    observed: [`${path} is key ${key} of ConfigMap ${configMap}, mode ${mode.toString(8)}`],
    details,
  };
}
