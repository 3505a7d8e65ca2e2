/**
 * A container's cgroup, accessed on its node: memory, CPU and OOM kill figures that the API does not expose, and ways to make any
 * application hang or run out of memory.
 *
 * File names: Linux, Documentation/admin-guide/cgroup-v1/memory.rst and cgroup-v2.rst.
 */
import { z } from 'zod';
import { CheckFailure, InfrastructureError } from '../../harness/core/errors.ts';
import type { Pod } from '../../harness/kube/api/types.ts';
import type { NodeAccess } from '../../harness/kube/cluster/cluster.ts';

export interface MemoryFacts {
  /** Bytes; `undefined` means unlimited. */
  limitBytes: number | undefined;
  usageBytes: number;
  /** Peak usage in bytes; `undefined` where the kernel does not record it (v2 before Linux 5.19). */
  maxUsageBytes: number | undefined;
  /** Processes of the container that the kernel killed for the limit, child processes included. */
  oomKills: number;
}

export interface CpuFacts {
  /** CPU time per period in microseconds; `undefined` means unlimited. */
  quotaUs: number | undefined;
  periodUs: number;
  /** Periods in which the container ran, and those of them in which it used up its quota and had to wait. 0 without a quota. */
  periods: number;
  throttledPeriods: number;
}

/** A process of a container, as its node shows it. */
export interface ContainerProcess {
  /** Its ids in the PID namespaces from that of the node inwards. */
  pids: number[];
  /** /proc/PID/status. Ids are those of the node's user namespace. */
  status: string;
  /** /proc/PID/uid_map and gid_map: what the ids are inside of the container. */
  uidMap: string;
  gidMap: string;
  /** Options of the mount at the root of the process, `ro,relatime`; `undefined` when the process has just ended. */
  rootMount: string | undefined;
}

export interface EatResult {
  /** What the kernel killed; `nothing` on timeout. */
  killed: 'container' | 'eater' | 'nothing';
}

export interface ContainerCgroup {
  version: 'v1' | 'v2';
  /** Directory of the memory controller on the node. */
  path: string;
  memory(): Promise<MemoryFacts>;
  cpu(): Promise<CpuFacts>;
  /** Process ids in the node's PID namespace, the container's first process first. */
  pids(): Promise<number[]>;
  /** All processes, those of nested cgroups included, the container's first process first. Those that have just ended are left out. */
  processes(): Promise<ContainerProcess[]>;
  /**
   * Stops every process (SIGSTOP): the container stays `Running` but no longer responds.
   *
   * @throws CheckFailure `E_CGROUP_GONE` when the container has ended
   */
  freeze(): Promise<void>;
  /** Resumes the processes (SIGCONT). */
  thaw(): Promise<void>;
  /**
   * Allocates memory in the container's cgroup until the kernel kills something, or until the timeout.
   *
   * @param victim `container`: the kernel prefers the container's first process (the container ends as OOMKilled); `eater`: it prefers the
   *   allocating process, like a child of the application (the container survives, and only the OOM kill count shows it)
   * @throws CheckFailure `E_CGROUP_UNLIMITED` when the container has no memory limit: the node would run out of memory
   */
  eatMemory(options: { victim: 'container' | 'eater' }): Promise<EatResult>;
}

// Finds all controllers in one call: v1 has a tree for each, v2 has one tree.
const LOCATE = `
id=$1; root=/sys/fs/cgroup
find_in() { find "$1" -type d -name "*$id*" -prune 2>/dev/null | head -n 1; }
if [ "$(stat -f -c %T $root)" = cgroup2fs ]; then echo "v2 $(find_in $root)"; exit; fi
echo "v1 $(find_in $root/memory) $(find_in $root/cpu)"
`;

// tail buffers a line until it ends, and /dev/zero has no line ends. The eater joins the memory cgroup first, so that its memory is charged
// there.
const EAT =
  'echo $$ > "$1/cgroup.procs" || exit 9; echo "$2" > /proc/$$/oom_score_adj || exit 9; exec tail /dev/zero';

// Several eaters share the limit: the kernel adds score × (pages / 1000), rounded down, to the first process, so a single eater that fills
// a small limit would outscore it. The eaters end with the first process, or they would use the memory of the replacement container.
const EAT_UNTIL_FIRST_DIES = `
eaters=
for i in 1 2 3 4; do sh -c '${EAT}' eat "$1" 0 & eaters="$eaters $!"; done
alive() { for p in $eaters; do [ -e "/proc/$p" ] && return 0; done; return 1; }
trap 'kill -KILL $eaters' TERM
while [ -e "/proc/$2" ] && alive; do sleep 0.05; done
kill -KILL $eaters 2> /dev/null
[ ! -e "/proc/$2" ]
`;

// The innermost NSpid is 1 for a container's first process, unless the pod shares its process namespace.
const LIST_PIDS = `
cd "$1" || exit 9
for p in $(cat cgroup.procs); do echo "$p $(sed -n 's/^NSpid:.*\\t//p' "/proc/$p/status" 2> /dev/null)"; done
`;

// A container that manages cgroups itself has its processes in nested ones. Fields of mountinfo: proc_pid_mountinfo(5).
const LIST_PROCESSES = `
[ -d "$1" ] || exit 9
find "$1" -name cgroup.procs -exec cat {} + 2> /dev/null | while read -r p; do
  for file in status uid_map gid_map; do printf '\\n@@%s\\n' $file; cat /proc/$p/$file 2> /dev/null; done
  printf '\\n@@root\\n'; sed -n 's/^[^ ]* [^ ]* [^ ]* [^ ]* \\/ \\([^ ]*\\) .*/\\1/p' /proc/$p/mountinfo 2> /dev/null | tail -n 1
done
`;

// Three rounds: a process that was just forking has a child that the first signal missed. One that has just ended, such as the command of a
// probe, is no failure.
const STOP_ALL = `
cd "$1" || exit 9
for i in 1 2 3; do
  pids=$(cat cgroup.procs); [ -n "$pids" ] || exit 9
  kill -STOP $pids 2> /dev/null
done
true
`;

/** Until the kernel must have killed something. */
const EAT_MS = 20_000;

const locationSchema = z.discriminatedUnion('version', [
  z.object({ version: z.literal('v1'), memory: z.string().min(1), cpu: z.string().min(1) }),
  z.object({ version: z.literal('v2'), memory: z.string().min(1), cpu: z.string().min(1) }),
]);

/**
 * The cgroup of a pod's container.
 *
 * @throws CheckFailure `E_NO_NODE_ACCESS`, or `E_NOT_RUNNING` when the container has no id yet or the pod has no node
 */
export function cgroupOf(
  access: NodeAccess | undefined,
  pod: Pod,
  container: string,
): Promise<ContainerCgroup> {
  if (!access) throw new CheckFailure('E_NO_NODE_ACCESS', 'this cluster gives no access to its nodes');
  const { containerStatuses = [], initContainerStatuses = [] } = pod.status ?? {};
  // A sidecar is an init container that keeps running.
  const id = [...containerStatuses, ...initContainerStatuses].find((s) => s.name === container)?.containerID;
  const node = pod.spec.nodeName;
  if (id === undefined || node === undefined) {
    throw new CheckFailure(
      'E_NOT_RUNNING',
      `container ${container} of pod ${pod.metadata.name} is not running`,
    );
  }
  return findContainerCgroup(access, node, id);
}

/**
 * Finds the cgroup of a running container on its node.
 *
 * @param containerId as in the pod's status (`containerd://8f3a…`), or only the id
 * @throws CheckFailure `E_CGROUP_GONE` when the node does not have the container
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

  /** File contents by name, without files that do not exist. */
  async function read(folder: string, names: readonly string[]): Promise<Map<string, string>> {
    const script =
      'cd "$1" || exit 9; shift; for f; do [ -e "$f" ] && printf "%s\\n" "@@$f" && cat "$f"; done; true';
    const result = await shell(script, [folder, ...names], { reject: false });
    if (result.exitCode !== 0) throw gone(node, id);
    const parts = result.stdout.split(/^@@/m).filter((part) => part !== '');
    // The cgroup can be removed while its files are being read.
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
          // v1 shows "unlimited" as the largest multiple of the page size.
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
      const stat = files.get('cpu.stat');
      const use = { periods: keyed(stat, 'nr_periods'), throttledPeriods: keyed(stat, 'nr_throttled') };
      if (at.version === 'v1') {
        const quota = Number(files.get('cpu.cfs_quota_us'));
        const periodUs = Number(files.get('cpu.cfs_period_us'));
        return { quotaUs: quota < 0 ? undefined : quota, periodUs, ...use };
      }
      const [quota, period] = (files.get('cpu.max') ?? 'max 100000').split(' ');
      return { quotaUs: numberOrMax(quota), periodUs: Number(period), ...use };
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

    async processes() {
      const result = await shell(LIST_PROCESSES, [at.memory], { reject: false });
      if (result.exitCode !== 0) throw gone(node, id);
      const found = result.stdout.split('\n@@status\n').slice(1).flatMap(processIn);
      if (found.length === 0) throw gone(node, id);
      // One in a PID namespace of its own, made by the container, is none of the first ones, although its id there is 1.
      return found.sort(
        (a, b) => a.pids.length - b.pids.length || (a.pids.at(-1) ?? 0) - (b.pids.at(-1) ?? 0),
      );
    },

    async freeze() {
      const { exitCode } = await shell(STOP_ALL, [at.memory], { reject: false });
      if (exitCode !== 0) throw gone(node, id);
    },
    async thaw() {
      await shell('cd "$1" || exit 0; kill -CONT $(cat cgroup.procs)', [at.memory]);
    },

    async eatMemory({ victim }) {
      if ((await cgroup.memory()).limitBytes === undefined) {
        throw new CheckFailure('E_CGROUP_UNLIMITED', `container ${id.slice(0, 12)} has no memory limit`, {
          hint: 'set resources.limits.memory: without a limit the whole node would run out of memory',
        });
      }
      const [first = 0] = await cgroup.pids();
      if (victim === 'container') {
        // Not by lowering the scores of the others: that needs CAP_SYS_RESOURCE, which nodes lack on some machines.
        await shell('echo 1000 > "/proc/$1/oom_score_adj"', [String(first)]);
      }
      const script =
        victim === 'container'
          ? [EAT_UNTIL_FIRST_DIES, 'eat', at.memory, String(first)]
          : [EAT, 'eat', at.memory, '1000'];
      const { exitCode, stderr } = await access.run(
        node,
        ['timeout', String(EAT_MS / 1000), 'sh', '-c', ...script],
        { timeoutMs: EAT_MS + 10_000, reject: false },
      );
      if (exitCode === 9) throw gone(node, id);
      const killed = { container: exitCode === 0, eater: exitCode === 137 }[victim] ? victim : 'nothing';
      if (killed === 'nothing' && exitCode !== 124 && stderr !== '') {
        throw new InfrastructureError(
          'E_CGROUP_EAT',
          `no memory could be allocated on ${node}: ${stderr.trim()}`,
        );
      }
      return { killed };
    },
  };
  return cgroup;
}

/** Empty for a process that ended while it was read. */
function processIn(text: string): ContainerProcess[] {
  const [status = '', uidMap = '', gidMap = '', root = ''] = text.split(/\n@@\w+\n/);
  const ids = /^NSpid:\s*(.+)$/m.exec(status)?.[1] ?? /^Pid:\s*(.+)$/m.exec(status)?.[1];
  if (ids === undefined) return [];
  const pids = ids.trim().split(/\s+/).map(Number);
  return [{ pids, status, uidMap, gidMap, rootMount: root.trim() || undefined }];
}

/** The number of a key in `key value` lines; 0 without the key. */
function keyed(text: string | undefined, key: string): number {
  const line = text?.split('\n').find((candidate) => candidate.startsWith(`${key} `));
  return Number(line?.split(' ')[1] ?? 0);
}

function numberOrMax(text: string | undefined): number | undefined {
  return text === undefined || text === 'max' ? undefined : Number(text);
}

function gone(node: string, id: string): CheckFailure {
  return new CheckFailure('E_CGROUP_GONE', `${node} has no cgroup of container ${id.slice(0, 12)}`, {
    hint: 'the container may have ended: read its id from the pod again',
  });
}
