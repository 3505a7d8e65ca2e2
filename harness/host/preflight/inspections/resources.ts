/** Processors, memory and disk, judged by the cluster that is planned. */
import { dirname } from 'node:path';
import type { Check, Finding, PreflightDeps } from '../finding.ts';
import { fine } from '../finding.ts';
import { engineFacts } from '../engine-facts.ts';

const GIB = 1024 ** 3;
const gib = (bytes: number) => `${(bytes / GIB).toFixed(1)} GiB`;

/** Measured: four idle nodes use 1.3 GiB; the applications and a build at the same time need the rest. */
function neededMemory(nodes: number): number {
  return (1 + nodes) * GIB;
}

export const checkCpus: Check = (deps) => {
  const { cpus } = deps.machine;
  if (cpus >= 2) return [fine('cpus', 'Processors', String(cpus))];
  return [
    {
      id: 'cpus',
      title: 'Processors',
      status: 'warning',
      found: `${cpus}, 2 recommended`,
      why: 'All nodes share them: with one, probes with a timeout of 1 s fail while something else starts.',
      remedy: 'Give the machine two processors or more.',
    },
  ];
};

export const checkMemory: Check = async (deps, need) => {
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
      why: 'When it runs out, the kernel kills pods or parts of the control plane, and the chart under test gets the blame.',
      remedy: 'End other programs, remove clusters of earlier runs (npm run sweep), or choose fewer suites.',
    },
  ];
};

export const checkDisk: Check = async (deps, need) => {
  const findings: Finding[] = [];
  if (need.cluster === 'kind' || need.buildImages) {
    const root = (await engineFacts(deps)).info?.DockerRootDir;
    // The engine's folder may be that of a virtual machine (Docker Desktop) or on another host: then it is not here.
    const here = root !== undefined && (await deps.machine.list(dirname(root))).length > 0;
    if (here)
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
      'npm run sweep\ndocker system df   (what takes the space)\ndocker builder prune   (the cache of image builds)',
  };
}
