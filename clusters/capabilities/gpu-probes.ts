/** Capabilities that checks of GPU workloads rest on. */
import { gpuFidelity } from '../../harness/run/report/gpu-fidelity.ts';
import type { ProbeResult } from './probe.ts';
import { GPU_RESOURCE } from '../gpu-capacity.ts';
import { GPU_NODE_LABELS } from '../topology.ts';
import type { ProbeContext } from './probe.ts';

/** At least two nodes carry the label of GPU nodes and have GPUs to give: with one, "on every GPU node" says nothing. */
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
        ? `no node carries ${label.join(', ')}`
        : `two nodes with GPUs are needed; of the nodes that carry ${label.join(', ')}, ${counts.join(', ')}`,
  };
}

const DRA_GROUP = 'resource.k8s.io/';

/** Dynamic Resource Allocation: the API server serves ResourceClaimTemplates; in which version, the evidence says. */
export async function probeDra({ kube }: ProbeContext): Promise<ProbeResult> {
  const served = (await kube.resources()).filter(({ apiVersion }) => apiVersion.startsWith(DRA_GROUP));
  const template = served.find(({ kind }) => kind === 'ResourceClaimTemplate');
  if (template === undefined) return { present: false, evidence: 'the API server serves no resource.k8s.io' };
  return {
    present: true,
    evidence: `${template.apiVersion} is served: ${served.map(({ kind }) => kind).join(', ')}`,
  };
}
