/** Limits as the kernel enforces them. */
import { formatBytes, parseQuantity } from '../../../kube/api/quantity.ts';
import type { Container } from '../../../kube/api/types.ts';
import type { PredicateResult } from '../result.ts';

/** What the cgroup of a container says; `undefined` is unlimited. */
export interface CgroupLimits {
  /** memory.max (v2), memory.limit_in_bytes (v1). */
  limitBytes: number | undefined;
  /** CPU time in µs within each period: cpu.max (v2), cpu.cfs_quota_us (v1). */
  quotaUs: number | undefined;
  periodUs: number;
}

/** Memory limits are rounded down to whole pages by the kernel. */
const PAGE = 4096;

/** The container's limits are those of its cgroup; a limit that is not set must not be in the cgroup either. */
export function cgroupMatches(
  resources: NonNullable<Container['resources']>,
  cgroup: CgroupLimits,
): PredicateResult {
  const memory = resources.limits?.['memory'];
  const cpu = resources.limits?.['cpu'];
  const wantedBytes = memory === undefined ? undefined : Math.floor(parseQuantity(memory) / PAGE) * PAGE;
  // The kubelet gives no less than 1000 µs (10m of a 100 ms period): below that the kernel refuses.
  const wantedCores = cpu === undefined ? undefined : Math.max(parseQuantity(cpu), 1000 / cgroup.periodUs);
  const cores = cgroup.quotaUs === undefined ? undefined : cgroup.quotaUs / cgroup.periodUs;
  const sameCpu =
    cores === undefined || wantedCores === undefined
      ? cores === wantedCores
      : Math.abs(cores - wantedCores) < 0.001;
  const cgroupMemory =
    cgroup.limitBytes === undefined
      ? 'no limit'
      : `${formatBytes(cgroup.limitBytes)} (${cgroup.limitBytes} bytes)`;
  const cgroupCpu =
    cores === undefined ? 'no limit' : `${cores} cores (${cgroup.quotaUs ?? 0} of ${cgroup.periodUs} µs)`;
  return {
    ok: cgroup.limitBytes === wantedBytes && sameCpu,
    expected: `memory ${memory ?? 'no limit'}, cpu ${cpu ?? 'no limit'}`,
    actual: `memory ${cgroupMemory}, cpu ${cgroupCpu}`,
    observed: [`cgroup: memory ${cgroupMemory}, cpu ${cgroupCpu}`],
    details: [
      ...(cgroup.limitBytes === wantedBytes
        ? []
        : [`memory: the cgroup has ${cgroupMemory}, the spec ${memory ?? 'no limit'}`]),
      ...(sameCpu ? [] : [`cpu: the cgroup has ${cgroupCpu}, the spec ${cpu ?? 'no limit'}`]),
    ],
  };
}
