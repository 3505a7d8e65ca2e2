/**
 * Nodes that report more CPUs than the machine has. kind's nodes share the CPUs of the machine, and each reports all of them; on a small
 * machine, a chart with the requests of a production cluster would not be scheduled, although it would run. Nothing becomes faster or slower:
 * a request is a share, and limits stay in force.
 */
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

/** Below the shared folder of the cluster, which exists on the engine's host. */
const FOLDER = '.cpus';
const NODES = '/sys/devices/system/node';
const ONLINE = '/sys/devices/system/cpu/online';

/** A mount of kind's configuration. */
export interface Mount {
  hostPath: string;
  containerPath: string;
  readOnly: boolean;
}

/**
 * Where kubelets count CPUs: the folders of the memory nodes, and the list of CPUs that are online (cAdvisor, utils/sysinfo/sysinfo.go,
 * utils/sysfs/sysfs.go). Pods have a file system of their own there.
 */
export function cpuMounts(sharedFolder: string): Mount[] {
  return [
    { hostPath: join(sharedFolder, FOLDER, 'node'), containerPath: NODES, readOnly: true },
    { hostPath: join(sharedFolder, FOLDER, 'online'), containerPath: ONLINE, readOnly: true },
  ];
}

/** Writes what the mounts show: one memory node with that many cores. */
export async function writeCpus(sharedFolder: string, cpus: number): Promise<void> {
  const folder = join(sharedFolder, FOLDER);
  for (let cpu = 0; cpu < cpus; cpu += 1) {
    const topology = join(folder, 'node', 'node0', `cpu${cpu}`, 'topology');
    await mkdir(topology, { recursive: true });
    await writeFile(join(topology, 'core_id'), `${cpu}\n`);
    await writeFile(join(topology, 'physical_package_id'), '0\n');
  }
  await writeFile(join(folder, 'online'), `0-${cpus - 1}\n`);
}
