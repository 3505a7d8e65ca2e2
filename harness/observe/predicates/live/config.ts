/** Configuration files in the containers. */
import type { ConfigMap } from '../../../kube/api/types.ts';
import type { PredicateResult } from '../result.ts';

export interface MountedFiles {
  pod: string;
  /** File contents by key of the ConfigMap; keys whose file the pod lacks are absent. */
  files: Readonly<Record<string, string | Uint8Array>>;
}

/**
 * In every replica the mounted files have the bytes of the ConfigMap.
 *
 * @param options.keys keys that every replica must have; default: every key that any replica has
 */
export function configMapEquals(
  configMap: ConfigMap,
  mounted: readonly MountedFiles[],
  options: { keys?: readonly string[] } = {},
): PredicateResult {
  const name = configMap.metadata.name;
  const keys = options.keys ?? [...new Set(mounted.flatMap((m) => Object.keys(m.files)))].toSorted();
  const details: string[] = [];
  const observed: string[] = [];
  for (const { pod, files } of mounted) {
    for (const key of keys) {
      const wanted = bytesOf(configMap, key);
      const file = files[key];
      const title = `${pod}: ${key}`;
      if (wanted === undefined) details.push(`${title} is not a key of ConfigMap ${name}`);
      else if (file === undefined) details.push(`${title} is missing in the pod`);
      else if (!Buffer.from(file).equals(wanted))
        details.push(`${title} ${difference(wanted, Buffer.from(file))}`);
      else observed.push(`${title} has the ${wanted.length} bytes of ConfigMap ${name}`);
    }
  }
  return {
    ok: observed.length > 0 && details.length === 0,
    expected: `${keys.join(', ') || 'at least one file'} of ConfigMap ${name} in ${mounted.length} pods, byte for byte`,
    actual:
      details.length === 0
        ? `${observed.length} files equal`
        : `${details.length} of ${details.length + observed.length} files differ`,
    observed,
    details,
  };
}

function bytesOf(configMap: ConfigMap, key: string): Buffer | undefined {
  const text = configMap.data?.[key];
  if (text !== undefined) return Buffer.from(text);
  const binary = configMap.binaryData?.[key];
  return binary === undefined ? undefined : Buffer.from(binary, 'base64');
}

/** The first line in which two files differ. */
function difference(wanted: Buffer, found: Buffer): string {
  const left = wanted.toString('utf8').split('\n');
  const right = found.toString('utf8').split('\n');
  const line = left.findIndex((text, i) => text !== right[i]);
  const at = line < 0 ? left.length : line;
  const shown = (text: string | undefined): string =>
    text === undefined ? 'the end of the file' : JSON.stringify(text.slice(0, 120));
  return `differs from line ${at + 1}: expected ${shown(left[at])}, found ${shown(right[at])} (${wanted.length} and ${found.length} bytes)`;
}
