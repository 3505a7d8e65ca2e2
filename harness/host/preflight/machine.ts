/** The machine's own facts: /proc, /etc, disks, user. Read below a root folder, so that tests bring a machine of their own. */
import { readFile, readdir, statfs, writeFile } from 'node:fs/promises';
import { availableParallelism, freemem, totalmem } from 'node:os';
import { dirname, join } from 'node:path';

export interface Machine {
  platform: string;
  nodeVersion: string;
  cpus: number;
  /** True for a process that may change the machine. */
  root: boolean;
  /** The file's text; undefined when it does not exist or may not be read. */
  read(path: string): Promise<string | undefined>;
  /** Names in a folder, sorted; empty when there is none. */
  list(path: string): Promise<string[]>;
  write(path: string, text: string): Promise<void>;
  /** Bytes that this user may still write on the disk of a path; of the nearest folder above that exists. */
  freeBytes(path: string): Promise<number | undefined>;
  /** Bytes of memory that can be used without swapping, and in all. */
  memory(): Promise<{ available: number; total: number }>;
  /** Name of a process's program; undefined when there is no such process, or it has ended and waits to be collected. */
  processName(pid: number): Promise<string | undefined>;
  /** The path on this file system of a path of the machine. */
  real(path: string): string;
}

/**
 * The machine this process runs on.
 *
 * @param options.rootDir folder in which /proc, /etc and /var are looked for; default `/`
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

/** `KEY=value` lines of /etc/os-release, without quotes. */
export function parseOsRelease(text: string): Record<string, string> {
  const facts: Record<string, string> = {};
  for (const line of text.split('\n')) {
    const match = /^([A-Z_]+)=(?:"([^"]*)"|'([^']*)'|(.*))$/.exec(line.trim());
    if (match?.[1]) facts[match[1]] = match[2] ?? match[3] ?? match[4] ?? '';
  }
  return facts;
}
