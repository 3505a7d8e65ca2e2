/** CPUs, memory and disk, compared with what the planned cluster needs. */
import { dirname } from 'node:path';
import { engineInfo } from '../engine-facts.ts';
import { fine, type Finding, type Inspection, type PreflightDeps } from '../finding.ts';

const GIB = 1024 ** 3;
const gib = (bytes: number) => `${(bytes / GIB).toFixed(1)} GiB`;

/** Four idle nodes use 1.3 GiB (measured); the applications and a concurrent build need the rest. */
function neededMemory(nodes: number): number {
  return (1 + nodes) * GIB;
}

export const inspectCpus: Inspection = (deps) => {
  const { cpus } = deps.machine;
  if (cpus >= 2) return [fine('cpus', 'CPUs', String(cpus))];
  return [
    {
      id: 'cpus',
      title: 'CPUs',
      status: 'warning',
      found: `${cpus}, 2 recommended`,
      why: 'All nodes share them. With one, probes with a timeout of 1 s fail while other containers start.',
      remedy: 'Use a machine with at least two CPUs.',
    },
  ];
};

export const inspectMemory: Inspection = async (deps, need) => {
  if (need.cluster === 'existing') return [];
  const { available, total } = await deps.machine.memory();
  const needed = neededMemory(need.nodes);
  const found = `${gib(available)} of ${gib(total)} available`;
  if (available >= needed) return [fine('memory', 'Memory', found)];
  return [
    {
      id: 'memory',
      title: 'Memory',
      status: available < needed / 2 ? 'problem' : 'warning',
      found: `${found}, ${gib(needed)} needed for ${need.nodes} nodes`,
      why: 'When it runs out, the kernel kills pods or parts of the control plane, and checks fail for no fault of the chart.',
      remedy:
        'Close other programs, remove clusters of earlier runs (npm run sweep), or choose fewer suites.',
    },
  ];
};

export const inspectDisk: Inspection = async (deps, need) => {
  const findings: Finding[] = [];
  if (need.cluster === 'kind' || need.buildImages) {
    const root = (await engineInfo(deps))?.DockerRootDir;
    // With Docker Desktop or a remote engine, the folder is in a virtual machine or on another host.
    const local = root !== undefined && (await deps.machine.list(dirname(root))).length > 0;
    if (local)
      findings.push(
        await disk(deps, 'disk-engine', 'Disk of the engine', root, need.buildNodeImage ? 12 : 6),
      );
  }
  findings.push(await disk(deps, 'disk-project', 'Disk of the project', deps.projectDir, 2));
  return findings;
};

async function disk(
  deps: PreflightDeps,
  id: string,
  title: string,
  path: string,
  neededGib: number,
): Promise<Finding> {
  const free = await deps.machine.freeBytes(path);
  if (free === undefined) return fine(id, title, `unknown for ${path}`);
  const found = `${gib(free)} free at ${path}`;
  if (free >= neededGib * GIB) return fine(id, title, found);
  return {
    id,
    title,
    status: 'problem',
    found: `${found}, ${neededGib} GiB needed`,
    why: 'Every node unpacks its own copy of the images; a kubelet short of disk evicts pods and taints its node.',
    remedy:
      'npm run sweep\ndocker system df   (shows what uses the space)\ndocker builder prune   (removes the build cache)',
  };
}
