/** Capabilities for GPU workloads. */
import { gpuFidelity } from '../../harness/run/report/gpu-fidelity.ts';
import { GPU_RESOURCE } from '../nodes/gpu-capacity.ts';
import { GPU_NODE_LABELS } from '../topology.ts';
import type { ProbeContext, ProbeResult } from './probe.ts';

/** At least two labelled nodes have allocatable GPUs: with one node, a check for "every GPU node" proves nothing. */
export async function probeGpuNodes({ cluster }: ProbeContext): Promise<ProbeResult> {
  const nodes = await cluster.describe();
  const labelled = nodes.filter(({ labels }) =>
    Object.entries(GPU_NODE_LABELS).every(([key, value]) => labels[key] === value),
  );
  const counts = labelled.map(({ name, gpus }) => `${name} has ${gpus}`);
  const present = labelled.filter(({ gpus }) => gpus > 0).length >= 2;
  if (present) {
    const fidelity = gpuFidelity(labelled) ?? '';
    return { present, evidence: `${GPU_RESOURCE}: ${counts.join(', ')}; ${fidelity}` };
  }
  const label = Object.entries(GPU_NODE_LABELS).map((pair) => pair.join('='));
  return {
    present,
    evidence:
      counts.length === 0
        ? `no node has the label ${label.join(', ')}`
        : `needs two nodes with GPUs; of the nodes labelled ${label.join(', ')}, ${counts.join(', ')}`,
  };
}

const DRA_GROUP = 'resource.k8s.io/';

/** Dynamic Resource Allocation: the API server serves ResourceClaimTemplates. The evidence has the version. */
export async function probeDra({ kube }: ProbeContext): Promise<ProbeResult> {
  const served = (await kube.resources()).filter(({ apiVersion }) => apiVersion.startsWith(DRA_GROUP));
  const template = served.find(({ kind }) => kind === 'ResourceClaimTemplate');
  if (template === undefined) return { present: false, evidence: 'the API server serves no resource.k8s.io' };
  return {
    present: true,
    evidence: `${template.apiVersion} is served: ${served.map(({ kind }) => kind).join(', ')}`,
  };
}
