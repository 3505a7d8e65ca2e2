/** What is mounted in a container, as its own kernel view says: /proc/mounts. */
import type { PredicateResult } from '../result.ts';

export interface Mount {
  source: string;
  path: string;
  type: string;
  options: string[];
}

export interface WantedMount {
  path: string;
  /** Default: either. */
  readOnly?: boolean;
  /** File system, e.g. `tmpfs`; default any. */
  type?: string | RegExp;
}

/** Reads /proc/mounts (proc_pid_mounts(5)); blanks in paths are written as `\040`. */
export function parseMounts(text: string): Mount[] {
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

/** Every wanted path is a mount of its own, of that kind; the last mount on a path is the one that is seen. */
export function mounts(text: string, wanted: readonly WantedMount[]): PredicateResult {
  const found = parseMounts(text);
  const looks = wanted.map((want) => ({ want, mount: found.findLast((m) => m.path === want.path) }));
  const details = looks.flatMap(({ want, mount }) => {
    if (!mount) return [`${want.path} is not mounted`];
    const said: string[] = [];
    const readOnly = mount.options.includes('ro');
    if (want.readOnly !== undefined && want.readOnly !== readOnly)
      said.push(`${want.path} is ${readOnly ? 'read-only' : 'writable'}`);
    const fits =
      want.type === undefined ||
      (typeof want.type === 'string' ? want.type === mount.type : want.type.test(mount.type));
    if (!fits) said.push(`${want.path} is of type ${mount.type}, expected ${String(want.type)}`);
    return said;
  });
  const seen = looks.flatMap(({ mount }) =>
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
