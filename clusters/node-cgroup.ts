/**
 * A container's cgroup, seen and used from its node: facts about memory, CPU and OOM kills that the API does not show, and ways to make
 * any application hang or run out of memory without its cooperation.
 *
 * File names: Linux, Documentation/admin-guide/cgroup-v1/memory.rst and cgroup-v2.rst.
 */
import { z } from 'zod';
import { CheckFailure, InfrastructureError } from '../harness/core/errors.ts';
import type { NodeAccess } from './cluster.ts';

export interface MemoryFacts {
  /** Bytes; `undefined` means unlimited. */
  limitBytes: number | undefined;
  usageBytes: number;
  /** Highest usage so far, in bytes; `undefined` where the kernel does not keep it (v2 before Linux 5.19). */
  maxUsageBytes: number | undefined;
  /** Processes of the container that the kernel killed because of the limit, children included. */
  oomKills: number;
}

export interface CpuFacts {
  /** Microseconds of CPU time in each period; `undefined` means unlimited. */
  quotaUs: number | undefined;
  periodUs: number;
  /** Periods in which the container was held back. */
  throttledPeriods: number;
}

export interface EatResult {
  /** What the kernel killed; `nothing` when the time was over first. */
  killed: 'container' | 'eater' | 'nothing';
  /** OOM kills in the cgroup meanwhile; `undefined` when the cgroup was gone afterwards, with its container. */
  oomKills: number | undefined;
  durationMs: number;
}

export interface ContainerCgroup {
  version: 'v1' | 'v2';
  /** Folder of the memory controller, as the node sees it. */
  path: string;
  memory(): Promise<MemoryFacts>;
  cpu(): Promise<CpuFacts>;
  /** Process ids as the node counts them, the container's first process first. */
  pids(): Promise<number[]>;
  /** Stops every process (SIGSTOP): the container stays `Running`, but answers nothing any more. */
  freeze(): Promise<void>;
  /** Lets the processes go on (SIGCONT). */
  thaw(): Promise<void>;
  /**
   * Sets how readily the kernel kills a process, -1000 to 1000. Lowering it needs CAP_SYS_RESOURCE, which not every machine gives its nodes;
   * raising always works.
   */
  setOomScoreAdj(pid: number, value: number): Promise<void>;
  /**
   * Allocates memory inside the container's limit until the kernel kills something, or the time is over.
   *
   * @param victim `container`: its first process is made the likeliest to be killed (the container ends as OOMKilled);
   *   `eater`: only the allocating process is, as a child of the application would be (the container lives, and only the count of OOM
   *   kills tells)
   * @throws CheckFailure `E_CGROUP_UNLIMITED` when the container has no memory limit: it would take the whole node's
   */
  eatMemory(options: { victim: 'container' | 'eater'; timeoutMs?: number }): Promise<EatResult>;
}

// One look finds all controllers: on v1 each has its own tree, on v2 there is one.
const LOCATE = `
id=$1; root=/sys/fs/cgroup
find_in() { find "$1" -type d -name "*$id*" -prune 2>/dev/null | head -n 1; }
if [ "$(stat -f -c %T $root)" = cgroup2fs ]; then echo "v2 $(find_in $root)"; exit; fi
echo "v1 $(find_in $root/memory) $(find_in $root/cpu)"
`;

// tail keeps a line until it ends; this one never does. The eater joins the memory cgroup first, so that all of it counts there.
const EAT =
  'echo $$ > "$1/cgroup.procs" || exit 9; echo "$2" > /proc/$$/oom_score_adj || exit 9; exec tail /dev/zero';

// Several eaters share the limit: the kernel adds score × (pages / 1000), rounded down, to the first process, so a single eater that fills
// a small limit would still outweigh it. They end with it, or they would take the memory of the container that replaces it.
const EAT_UNTIL_FIRST_DIES = `
eaters=
for i in 1 2 3 4; do sh -c '${EAT}' eat "$1" 0 & eaters="$eaters $!"; done
alive() { for p in $eaters; do [ -e "/proc/$p" ] && return 0; done; return 1; }
trap 'kill -KILL $eaters' TERM
while [ -e "/proc/$2" ] && alive; do sleep 0.05; done
kill -KILL $eaters 2> /dev/null
[ ! -e "/proc/$2" ]
`;

// The innermost number in NSpid is 1 for a container's first process, unless it shares a process namespace.
const LIST_PIDS = `
cd "$1" || exit 9
for p in $(cat cgroup.procs); do echo "$p $(sed -n 's/^NSpid:.*\\t//p' "/proc/$p/status" 2> /dev/null)"; done
`;

const locationSchema = z.discriminatedUnion('version', [
  z.object({ version: z.literal('v1'), memory: z.string().min(1), cpu: z.string().min(1) }),
  z.object({ version: z.literal('v2'), memory: z.string().min(1), cpu: z.string().min(1) }),
]);

/**
 * Finds the cgroup of a running container on its node.
 *
 * @param containerId as in the pod's status: `containerd://8f3a…`, or the id alone
 * @throws CheckFailure `E_CGROUP_GONE` when the node has no such container (any more)
 */
export async function findContainerCgroup(
  access: NodeAccess,
  node: string,
  containerId: string,
): Promise<ContainerCgroup> {
  const id = z
    .string()
    .regex(/^[0-9a-f]{12,64}$/)
    .parse(containerId.replace(/^[a-z-]+:\/\//, ''));
  const { stdout } = await access.run(node, ['sh', '-c', LOCATE, 'locate', id]);
  const [version, memory, cpu] = stdout.trim().split(/\s+/);
  const location = locationSchema.safeParse({ version, memory, cpu: version === 'v2' ? memory : cpu });
  if (!location.success) throw gone(node, id);
  return containerCgroup(access, node, id, location.data);
}

function containerCgroup(
  access: NodeAccess,
  node: string,
  id: string,
  at: z.infer<typeof locationSchema>,
): ContainerCgroup {
  const shell = (script: string, args: string[], options: { timeoutMs?: number; reject?: boolean } = {}) =>
    access.run(node, ['sh', '-c', script, 'cgroup', ...args], options);

  /** Contents of files by their name; files that do not exist are left out. */
  async function read(folder: string, names: readonly string[]): Promise<Map<string, string>> {
    const script =
      'cd "$1" || exit 9; shift; for f; do [ -e "$f" ] && printf "%s\\n" "@@$f" && cat "$f"; done; true';
    const result = await shell(script, [folder, ...names], { reject: false });
    if (result.exitCode !== 0) throw gone(node, id);
    const parts = result.stdout.split(/^@@/m).filter((part) => part !== '');
    // Files go with their folder, also while it is looked at.
    if (parts.length === 0) throw gone(node, id);
    return new Map(
      parts.map((part) => {
        const end = part.indexOf('\n');
        return [part.slice(0, end), part.slice(end + 1).trim()] as const;
      }),
    );
  }

  const cgroup: ContainerCgroup = {
    version: at.version,
    path: at.memory,

    async memory() {
      if (at.version === 'v1') {
        const files = await read(at.memory, [
          'memory.limit_in_bytes',
          'memory.usage_in_bytes',
          'memory.max_usage_in_bytes',
          'memory.oom_control',
        ]);
        const limit = Number(files.get('memory.limit_in_bytes'));
        return {
          // "Unlimited" is the largest multiple of the page size, far beyond any machine.
          limitBytes: limit > Number.MAX_SAFE_INTEGER ? undefined : limit,
          usageBytes: Number(files.get('memory.usage_in_bytes')),
          maxUsageBytes: Number(files.get('memory.max_usage_in_bytes')),
          oomKills: keyed(files.get('memory.oom_control'), 'oom_kill'),
        };
      }
      const files = await read(at.memory, ['memory.max', 'memory.current', 'memory.peak', 'memory.events']);
      const peak = files.get('memory.peak');
      return {
        limitBytes: numberOrMax(files.get('memory.max')),
        usageBytes: Number(files.get('memory.current')),
        maxUsageBytes: peak === undefined ? undefined : Number(peak),
        oomKills: keyed(files.get('memory.events'), 'oom_kill'),
      };
    },

    async cpu() {
      const files = await read(at.cpu, ['cpu.cfs_quota_us', 'cpu.cfs_period_us', 'cpu.max', 'cpu.stat']);
      const throttledPeriods = keyed(files.get('cpu.stat'), 'nr_throttled');
      if (at.version === 'v1') {
        const quota = Number(files.get('cpu.cfs_quota_us'));
        const periodUs = Number(files.get('cpu.cfs_period_us'));
        return { quotaUs: quota < 0 ? undefined : quota, periodUs, throttledPeriods };
      }
      const [quota, period] = (files.get('cpu.max') ?? 'max 100000').split(' ');
      return { quotaUs: numberOrMax(quota), periodUs: Number(period), throttledPeriods };
    },

    async pids() {
      const result = await shell(LIST_PIDS, [at.memory], { reject: false });
      if (result.exitCode !== 0) throw gone(node, id);
      const rows = result.stdout.split('\n').filter((line) => line.trim() !== '');
      const processes = rows.map((row) => {
        const [pid, inner] = row.split(' ');
        return { pid: Number(pid), inner: Number(inner === '' ? pid : inner) };
      });
      return processes.sort((a, b) => a.inner - b.inner).map((process) => process.pid);
    },

    // More than one round: a process that was about to fork has a child that no signal has reached yet.
    async freeze() {
      await shell('cd "$1" || exit 9; for i in 1 2 3; do kill -STOP $(cat cgroup.procs) || exit 9; done', [
        at.memory,
      ]);
    },
    async thaw() {
      await shell('cd "$1" || exit 0; kill -CONT $(cat cgroup.procs)', [at.memory]);
    },

    async setOomScoreAdj(pid, value) {
      await shell('echo "$2" > "/proc/$1/oom_score_adj"', [String(pid), String(value)]);
    },

    async eatMemory({ victim, timeoutMs = 20_000 }) {
      const before = await cgroup.memory();
      if (before.limitBytes === undefined) {
        throw new CheckFailure('E_CGROUP_UNLIMITED', `container ${id.slice(0, 12)} has no memory limit`, {
          hint: 'set resources.limits.memory: without it the memory of the whole node would be eaten',
        });
      }
      const [first = 0] = await cgroup.pids();
      if (victim === 'container') await cgroup.setOomScoreAdj(first, 1000);
      const script =
        victim === 'container'
          ? [EAT_UNTIL_FIRST_DIES, 'eat', at.memory, String(first)]
          : [EAT, 'eat', at.memory, '1000'];
      const { exitCode, durationMs, stderr } = await access.run(
        node,
        ['timeout', `${timeoutMs / 1000}`, 'sh', '-c', ...script],
        { timeoutMs: timeoutMs + 10_000, reject: false },
      );
      if (exitCode === 9) throw gone(node, id);
      const killed = { container: exitCode === 0, eater: exitCode === 137 }[victim] ? victim : 'nothing';
      if (killed === 'nothing' && exitCode !== 124 && stderr !== '') {
        throw new InfrastructureError(
          'E_CGROUP_EAT',
          `no memory could be allocated on ${node}: ${stderr.trim()}`,
        );
      }
      const after = await cgroup.memory().catch(() => undefined);
      return { killed, oomKills: after && after.oomKills - before.oomKills, durationMs };
    },
  };
  return cgroup;
}

/** The number behind a key in `key value` lines. */
function keyed(text: string | undefined, key: string): number {
  const line = text?.split('\n').find((candidate) => candidate.startsWith(`${key} `));
  return Number(line?.split(' ')[1] ?? 0);
}

function numberOrMax(text: string | undefined): number | undefined {
  return text === undefined || text === 'max' ? undefined : Number(text);
}

function gone(node: string, id: string): CheckFailure {
  return new CheckFailure('E_CGROUP_GONE', `${node} has no cgroup of container ${id.slice(0, 12)}`, {
    hint: 'the container may have ended or moved: read its id from the pod again',
  });
}
