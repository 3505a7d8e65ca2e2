/** The mounts of a container according to its /proc/mounts. */
import type { PredicateResult } from '../result.ts';

interface Mount {
  source: string;
  path: string;
  type: string;
  options: string[];
}

export interface WantedMount {
  path: string;
  /** Default: both are accepted. */
  readOnly?: boolean;
  /** File system type, e.g. `tmpfs`; default any. */
  type?: string | RegExp;
}

/** Parses /proc/mounts (proc_pid_mounts(5)), which escapes spaces in paths as `\040`. */
function parseMounts(text: string): Mount[] {
  return text
    .split('\n')
    .map((line) => line.split(' '))
    .filter((words) => words.length >= 4)
    .map(([source = '', path = '', type = '', options = '']) => ({
      source,
      path: path.replace(/\\([0-7]{3})/g, (_, octal: string) =>
        String.fromCharCode(Number.parseInt(octal, 8)),
      ),
      type,
      options: options.split(','),
    }));
}

/** Every wanted path is a mount point with these properties; the last mount on a path hides the others. */
export function mounts(text: string, wanted: readonly WantedMount[]): PredicateResult {
  const found = parseMounts(text);
  const pairs = wanted.map((want) => ({ want, mount: found.findLast((m) => m.path === want.path) }));
  const details = pairs.flatMap(({ want, mount }) => {
    if (!mount) return [`${want.path} is not mounted`];
    const wrong: string[] = [];
    const readOnly = mount.options.includes('ro');
    if (want.readOnly !== undefined && want.readOnly !== readOnly)
      wrong.push(`${want.path} is ${readOnly ? 'read-only' : 'writable'}`);
    const fits =
      want.type === undefined ||
      (typeof want.type === 'string' ? want.type === mount.type : want.type.test(mount.type));
    if (!fits) wrong.push(`${want.path} is of type ${mount.type}, expected ${String(want.type)}`);
    return wrong;
  });
  const seen = pairs.flatMap(({ mount }) =>
    mount ? [`${mount.path} ${mount.type} ${mount.options.includes('ro') ? 'ro' : 'rw'}`] : [],
  );
  const title = ({ path, readOnly, type }: WantedMount): string =>
    [
      path,
      ...(type === undefined ? [] : [String(type)]),
      ...(readOnly === undefined ? [] : [readOnly ? 'ro' : 'rw']),
    ].join(' ');
  return {
    ok: wanted.length > 0 && details.length === 0,
    expected: wanted.map(title).join(', ') || 'at least one mount to look for',
    actual: seen.join(', ') || 'none of them',
    observed: seen,
    details,
  };
}
