/** The main process of a container according to the kernel: /proc/1/status, /proc/1/environ. */
import type { PredicateResult } from '../result.ts';

export interface Identity {
  uid: number;
  gid: number;
  /** Groups that must be among the supplementary ones (fsGroup, supplementalGroups). */
  groups?: readonly number[];
  /** Default true: allowPrivilegeEscalation is false. */
  noNewPrivileges?: boolean;
  /** Effective Linux capabilities as hexadecimal bits; default none. */
  capabilities?: string;
}

export interface ProcessStatus {
  /** Of its program, 15 characters at most. */
  name: string;
  /** Real, effective, saved, file system. */
  uids: number[];
  gids: number[];
  groups: number[];
  noNewPrivileges: boolean | undefined;
  /** Effective Linux capabilities, 16 hexadecimal digits. */
  capEff: string | undefined;
  /** The bounding set: capabilities that the process could gain. */
  capBnd: string | undefined;
  /** Capabilities that the process may make effective. */
  capPrm: string | undefined;
  /** 0: no filter of system calls, 2: one or more. `undefined` on a kernel without seccomp. */
  seccomp: number | undefined;
}

/** Parses /proc/<pid>/status (proc_pid_status(5)). */
export function parseProcessStatus(text: string): ProcessStatus {
  const fields = new Map(
    text
      .split('\n')
      .map((line) => [line.slice(0, line.indexOf(':')), line.slice(line.indexOf(':') + 1).trim()]),
  );
  const numbers = (field: string): number[] =>
    (fields.get(field) ?? '')
      .split(/\s+/)
      .filter((w) => w !== '')
      .map(Number);
  const privileges = fields.get('NoNewPrivs');
  return {
    name: fields.get('Name') ?? '?',
    uids: numbers('Uid'),
    gids: numbers('Gid'),
    groups: numbers('Groups'),
    noNewPrivileges: privileges === undefined ? undefined : privileges === '1',
    capEff: fields.get('CapEff'),
    capBnd: fields.get('CapBnd'),
    capPrm: fields.get('CapPrm'),
    seccomp: numbers('Seccomp')[0],
  };
}

/** All four user and group IDs of the process are these; it has exactly these capabilities and gains no privileges. */
export function processIdentity(status: string, wanted: Identity): PredicateResult {
  const found = parseProcessStatus(status);
  const capabilities = (wanted.capabilities ?? '0').padStart(16, '0').toLowerCase();
  const privileges = wanted.noNewPrivileges ?? true;
  const details: string[] = [];
  if (found.uids.length < 4 || found.uids.some((id) => id !== wanted.uid))
    details.push(`Uid is ${found.uids.join(' ') || 'missing'}, expected ${wanted.uid} in all four places`);
  if (found.gids.length < 4 || found.gids.some((id) => id !== wanted.gid))
    details.push(`Gid is ${found.gids.join(' ') || 'missing'}, expected ${wanted.gid} in all four places`);
  const absent = (wanted.groups ?? []).filter((g) => !found.groups.includes(g) && !found.gids.includes(g));
  if (absent.length > 0)
    details.push(`is not in group ${absent.join(', ')} (Groups: ${found.groups.join(' ') || 'none'})`);
  if (found.noNewPrivileges !== privileges)
    details.push(
      `NoNewPrivs is ${found.noNewPrivileges === undefined ? 'missing' : Number(found.noNewPrivileges)}, expected ${Number(privileges)}`,
    );
  if (found.capEff?.toLowerCase() !== capabilities)
    details.push(`CapEff is ${found.capEff ?? 'missing'}, expected ${capabilities}`);
  const seen = `Uid ${found.uids[0] ?? '?'}, Gid ${found.gids[0] ?? '?'}, NoNewPrivs ${Number(found.noNewPrivileges ?? false)}, CapEff ${found.capEff ?? '?'}`;
  return {
    ok: details.length === 0,
    expected: `Uid ${wanted.uid}, Gid ${wanted.gid}, NoNewPrivs ${Number(privileges)}, CapEff ${capabilities}`,
    actual: seen,
    observed: [`/proc/1/status: ${seen}`],
    details,
  };
}

/** The process runs as this user: real, effective, saved and file system UID. */
export function runsAsUser(status: string, uid: number): PredicateResult {
  const { uids } = parseProcessStatus(status);
  const seen = `Uid ${uids.join(' ') || 'is missing'}`;
  return {
    ok: uids.length === 4 && uids.every((id) => id === uid),
    expected: `Uid ${uid} in all four places`,
    actual: seen,
    observed: [`/proc/1/status: ${seen}`],
  };
}

/**
 * The process has no capability and cannot gain one. The effective set alone proves nothing for a process that is not root: it is empty
 * anyway. Dropped capabilities are missing in the bounding set too (capabilities(7)).
 */
export function hasNoCapabilities(status: string): PredicateResult {
  const { capEff, capBnd } = parseProcessStatus(status);
  const none = (set: string | undefined): boolean => set !== undefined && /^0+$/.test(set);
  const seen = `CapEff ${capEff ?? 'is missing'}, CapBnd ${capBnd ?? 'is missing'}`;
  return {
    ok: none(capEff) && none(capBnd),
    expected: 'CapEff 0 and CapBnd 0',
    actual: seen,
    observed: [`/proc/1/status: ${seen}`],
  };
}

/** The process and its children cannot gain privileges, not even through set-user-ID programs. */
export function gainsNoPrivileges(status: string): PredicateResult {
  const { noNewPrivileges } = parseProcessStatus(status);
  const seen = `NoNewPrivs ${noNewPrivileges === undefined ? 'is missing' : Number(noNewPrivileges)}`;
  return {
    ok: noNewPrivileges === true,
    expected: 'NoNewPrivs 1',
    actual: seen,
    observed: [`/proc/1/status: ${seen}`],
  };
}

/** Parses /proc/<pid>/environ: `NAME=value`, each ended by a NUL byte. */
export function parseEnviron(bytes: string | Uint8Array): Map<string, string> {
  const text = typeof bytes === 'string' ? bytes : Buffer.from(bytes).toString('utf8');
  const pairs = text.split('\0').filter((line) => line.includes('='));
  return new Map(pairs.map((line) => [line.slice(0, line.indexOf('=')), line.slice(line.indexOf('=') + 1)]));
}
