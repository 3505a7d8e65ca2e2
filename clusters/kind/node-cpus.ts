/**
 * Nodes that report more CPUs than the machine has. kind's nodes share the CPUs of the machine, and each reports all of them; on a small
 * machine, a chart with the requests of a production cluster would not be scheduled, although it would run. Nothing becomes faster: a
 * request is a share, and limits stay in force.
 */
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

/** Below the shared folder of the cluster, which exists on the engine's host. */
const FOLDER = '.cpus';
const NODES = '/sys/devices/system/node';

/** A mount of kind's configuration. */
export interface Mount {
  hostPath: string;
  containerPath: string;
  readOnly: boolean;
}

/**
 * Where kubelets count CPUs: the folders of the memory nodes (cAdvisor, utils/sysinfo/sysinfo.go). Pods have a file system of their own
 * there.
 */
export function cpuMount(sharedFolder: string): Mount {
  return { hostPath: join(sharedFolder, FOLDER), containerPath: NODES, readOnly: true };
}

/**
 * Writes what the mount shows: the CPUs of the machine, once for each of several memory nodes. Others would not do: the kubelet binds pods
 * to the CPUs that it finds, and the kernel knows only those.
 *
 * @param cpus a multiple of those of the machine
 */
export async function writeCpus(sharedFolder: string, cpus: number, ofMachine: number): Promise<void> {
  // An earlier cluster of this name may have left more.
  await rm(join(sharedFolder, FOLDER), { recursive: true, force: true });
  for (let cpu = 0; cpu < cpus; cpu += 1) {
    const node = join(sharedFolder, FOLDER, `node${Math.floor(cpu / ofMachine)}`);
    const topology = join(node, `cpu${cpu % ofMachine}`, 'topology');
    await mkdir(topology, { recursive: true });
    await writeFile(join(topology, 'core_id'), `${cpu % ofMachine}\n`);
    await writeFile(join(topology, 'physical_package_id'), '0\n');
  }
}
