/** Resource limits as the kernel enforces them. */
import { formatBytes, parseQuantity } from '../../../kube/api/quantity.ts';
import type { Container } from '../../../kube/api/types.ts';
import type { PredicateResult } from '../result.ts';

/** Limits of a container's cgroup; `undefined` is unlimited. */
export interface CgroupLimits {
  /** memory.max (v2), memory.limit_in_bytes (v1). */
  limitBytes: number | undefined;
  /** CPU time in µs within each period: cpu.max (v2), cpu.cfs_quota_us (v1). */
  quotaUs: number | undefined;
  periodUs: number;
}

/** The kernel rounds memory limits down to whole pages. */
const PAGE = 4096;

/** The cgroup has exactly the container's limits; without a limit in the spec, the cgroup has none either. */
export function cgroupMatches(
  resources: NonNullable<Container['resources']>,
  cgroup: CgroupLimits,
): PredicateResult {
  const memory = resources.limits?.['memory'];
  const cpu = resources.limits?.['cpu'];
  const wantedBytes = memory === undefined ? undefined : Math.floor(parseQuantity(memory) / PAGE) * PAGE;
  // The kubelet sets at least 1000 µs (10m of a 100 ms period), the kernel's minimum.
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
