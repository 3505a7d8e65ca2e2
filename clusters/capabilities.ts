/** What a cluster can do, proven before a check relies on it. */
import { InfrastructureError } from '../harness/core/errors.ts';
import type { CapabilityResult, Cluster } from './cluster.ts';
import type { ProbeContext, ProbeOptions, ProbeResult } from './capabilities/probe.ts';
import { createProbeContext } from './capabilities/probe.ts';
import { probeCgroupVersion, probeNodeAccess } from './capabilities/node-probes.ts';
import { probeDra, probeGpuNodes } from './capabilities/gpu-probes.ts';
import { probeMetrics, probePodSecurity } from './capabilities/api-probes.ts';
import { probeNetworkPolicy } from './capabilities/network-policy.ts';
import { probeRuntimeHandler } from './capabilities/runtime-handler.ts';
import { probeDefaultStorageClass, probeSharedStorage } from './capabilities/storage.ts';

export type { ProbeOptions } from './capabilities/probe.ts';

type Probe = (context: ProbeContext, argument: string) => Promise<ProbeResult>;

/** Names that suites may ask for; one with an argument is written `name:argument`. */
const PROBES: Record<string, Probe> = {
  'node-access': probeNodeAccess,
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
   * Proves a capability, once in a run; later calls get the same answer.
   *
   * @throws InfrastructureError when the cluster does not answer: an absent capability and a broken cluster are two things
   */
  probe(name: string): Promise<CapabilityResult>;
  /** All answers so far, for the report. */
  results(): Promise<CapabilityResult[]>;
}

/** Probes run when a check asks for them, not before: a proof costs seconds. */
export function createCapabilities(cluster: Cluster, options: ProbeOptions = {}): Capabilities {
  const context = createProbeContext(cluster, options);
  const known = new Map<string, Promise<CapabilityResult>>();

  async function run(name: string): Promise<CapabilityResult> {
    const [kind = '', argument = ''] = name.split(/:(.*)/, 2);
    const probe = PROBES[kind];
    if (probe === undefined) {
      throw new InfrastructureError('E_CAPABILITY', `no probe proves the capability "${name}"`, {
        hint: `known ones: ${Object.keys(PROBES).join(', ')}`,
      });
    }
    const finding = await probe(context, argument);
    context.log.info('capability', { name, ...finding });
    return { name, ...finding };
  }

  return {
    probe(name) {
      const answer = known.get(name) ?? run(name);
      known.set(name, answer);
      // A probe that broke proves nothing: the next check may ask again.
      answer.catch(() => known.delete(name));
      return answer;
    },
    async results() {
      const settled = await Promise.allSettled(known.values());
      return settled.flatMap((result) => (result.status === 'fulfilled' ? [result.value] : []));
    },
  };
}
