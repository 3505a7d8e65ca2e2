/** A version as programs print it. */
export interface Version {
  major: number;
  minor: number;
  patch: number;
  text: string;
}

/** The first `1.2.3` in a program's output (`kind v0.33.0 go1.26.8 linux/amd64`); undefined when there is none. */
export function versionIn(output: string): Version | undefined {
  const match = /(?<![\w.])v?(\d+)\.(\d+)\.(\d+)/.exec(output);
  if (!match) return undefined;
  const [major, minor, patch] = match.slice(1).map(Number);
  if (major === undefined || minor === undefined || patch === undefined) return undefined;
  return { major, minor, patch, text: `${major}.${minor}.${patch}` };
}
