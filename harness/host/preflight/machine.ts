/** Facts about the machine: /proc, /etc, disks, user. Read below a root folder, so that tests can provide their own machine. */
import { readFile, readdir, statfs, writeFile } from 'node:fs/promises';
import { availableParallelism, freemem, totalmem } from 'node:os';
import { dirname, join } from 'node:path';

export interface Machine {
  platform: string;
  nodeVersion: string;
  cpus: number;
  /** True for a process that may change the machine. */
  root: boolean;
  /** The file's text; undefined when it is missing or unreadable. */
  read(path: string): Promise<string | undefined>;
  /** Sorted names in a folder; empty when the folder is missing. */
  list(path: string): Promise<string[]>;
  write(path: string, text: string): Promise<void>;
  /** Free bytes for this user on the disk of a path, or of its nearest existing parent folder. */
  freeBytes(path: string): Promise<number | undefined>;
  /** Bytes of memory available without swapping, and in total. */
  memory(): Promise<{ available: number; total: number }>;
  /** Name of a process's program; undefined when the process is missing or a zombie. */
  processName(pid: number): Promise<string | undefined>;
  /** Where a path of the machine is on this file system. */
  real(path: string): string;
}

/**
 * The machine that this process runs on.
 *
 * @param options.rootDir folder that contains /proc, /etc and /var; default `/`
 */
export function localMachine(options: { rootDir?: string; asRoot?: boolean } = {}): Machine {
  const rootDir = options.rootDir ?? '/';
  const real = (path: string) => join(rootDir, path);
  const read = async (path: string) => {
    try {
      return await readFile(real(path), 'utf8');
    } catch {
      return undefined;
    }
  };
  return {
    platform: process.platform,
    nodeVersion: process.versions.node,
    cpus: availableParallelism(),
    root: options.asRoot ?? process.getuid?.() === 0,
    real,
    read,
    list: async (path) => {
      try {
        return (await readdir(real(path))).sort();
      } catch {
        return [];
      }
    },
    write: (path, text) => writeFile(real(path), text),
    freeBytes: async (path) => {
      for (let at = real(path); ; at = dirname(at)) {
        try {
          const { bavail, bsize } = await statfs(at);
          return bavail * bsize;
        } catch {
          if (dirname(at) === at) return undefined;
        }
      }
    },
    processName: async (pid) => {
      if (!Number.isInteger(pid) || pid <= 0) return undefined;
      const status = (await read(`/proc/${pid}/status`)) ?? '';
      if (/^State:\s+[ZX]/m.test(status)) return undefined;
      return /^Name:\s+(.*)$/m.exec(status)?.[1];
    },
    memory: async () => {
      const meminfo = (await read('/proc/meminfo')) ?? '';
      const kib = (name: string) => {
        const value = new RegExp(`^${name}:\\s+(\\d+) kB$`, 'm').exec(meminfo)?.[1];
        return value === undefined ? undefined : Number(value) * 1024;
      };
      // freemem() counts the page cache as used; MemAvailable does not.
      return { available: kib('MemAvailable') ?? freemem(), total: kib('MemTotal') ?? totalmem() };
    },
  };
}

const CAP_SYS_RESOURCE = 24n;

/**
 * Whether containers of this machine can have CAP_SYS_RESOURCE: they cannot exceed its bounding set (capabilities(7)).
 * True without /proc, where the engine runs in a virtual machine that has all capabilities.
 *
 * @param procStatus text of /proc/self/status
 */
export function hasSysResource(procStatus: string | undefined): boolean {
  const mask = /^CapBnd:\s*([0-9a-f]+)$/m.exec(procStatus ?? '')?.[1];
  return mask === undefined || ((BigInt(`0x${mask}`) >> CAP_SYS_RESOURCE) & 1n) === 1n;
}

/** `KEY=value` lines of /etc/os-release, without quotes. */
export function parseOsRelease(text: string): Record<string, string> {
  const facts: Record<string, string> = {};
  for (const line of text.split('\n')) {
    const match = /^([A-Z_]+)=(?:"([^"]*)"|'([^']*)'|(.*))$/.exec(line.trim());
    if (match?.[1]) facts[match[1]] = match[2] ?? match[3] ?? match[4] ?? '';
  }
  return facts;
}
