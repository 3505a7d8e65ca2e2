/** Capabilities of a cluster, each proven by a probe before a check relies on it. */
import { InfrastructureError } from '../../harness/core/errors.ts';
import type { CapabilityResult, Cluster } from '../../harness/kube/cluster/cluster.ts';
import type { ProbeContext, ProbeOptions, ProbeResult } from './probe.ts';
import { createProbeContext } from './probe.ts';
import { probeCgroupVersion, probeNodeAccess, probeNodeCordon } from './node-probes.ts';
import { probeDra, probeGpuNodes } from './gpu-probes.ts';
import { probeMetrics, probePodSecurity } from './api-probes.ts';
import { probeNetworkPolicy } from './network-policy.ts';
import { probeRuntimeHandler } from './runtime-handler.ts';
import { probeDefaultStorageClass, probeSharedStorage } from './storage.ts';

export type { ProbeOptions } from './probe.ts';

type Probe = (context: ProbeContext, argument: string) => Promise<ProbeResult>;

/** By the names that checks list in `needs`; `name:argument` passes an argument. */
const PROBES: Record<string, Probe> = {
  'node-access': probeNodeAccess,
  'node-cordon': probeNodeCordon,
  metrics: probeMetrics,
  'network-policy': probeNetworkPolicy,
  'shared-storage': probeSharedStorage,
  'default-storage-class': probeDefaultStorageClass,
  'runtime-handler': probeRuntimeHandler,
  'gpu-nodes': probeGpuNodes,
  dra: probeDra,
  'cgroup-v1': (context) => probeCgroupVersion(context, 'v1'),
  'cgroup-v2': (context) => probeCgroupVersion(context, 'v2'),
  'pod-security-admission': probePodSecurity,
};

export interface Capabilities {
  /**
   * Proves a capability on the first call; later calls return the same result.
   *
   * @throws InfrastructureError when the cluster does not answer, which does not mean that the capability is absent
   */
  probe(name: string): Promise<CapabilityResult>;
}

/** Probes run on demand, because a proof takes seconds. */
export function createCapabilities(cluster: Cluster, options: ProbeOptions = {}): Capabilities {
  const context = createProbeContext(cluster, options);
  const known = new Map<string, Promise<CapabilityResult>>();

  async function run(name: string): Promise<CapabilityResult> {
    const [kind = '', argument = ''] = name.split(/:(.*)/, 2);
    const probe = PROBES[kind];
    if (probe === undefined) {
      throw new InfrastructureError('E_CAPABILITY', `there is no capability "${name}"`, {
        hint: `known capabilities: ${Object.keys(PROBES).join(', ')}`,
      });
    }
    const result = { name, ...(await probe(context, argument)) };
    context.log.info('capability', result);
    return result;
  }

  return {
    probe(name) {
      const result = known.get(name) ?? run(name);
      known.set(name, result);
      // An errored probe proves nothing: the next check tries again.
      result.catch(() => known.delete(name));
      return result;
    },
  };
}
