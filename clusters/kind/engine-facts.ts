/** Facts about engine and node image that the cluster's configuration depends on. */
import { readFile } from 'node:fs/promises';
import { z } from 'zod';
import type { CommandRunner } from '../../harness/core/command.ts';
import { InfrastructureError } from '../../harness/core/errors.ts';
import { hasSysResource } from '../../harness/host/preflight/machine.ts';
import type { EngineFacts } from './kind-config.ts';

/** Reads the engine's cgroup version, and whether containers can have CAP_SYS_RESOURCE. */
export async function readEngineFacts(
  run: CommandRunner,
  { signal }: { signal?: AbortSignal | undefined } = {},
): Promise<EngineFacts> {
  const { stdout } = await run.run('docker', ['info', '--format', '{{.CgroupVersion}}'], {
    timeoutMs: 30_000,
    signal,
    hint: 'start the engine, or run `npm run doctor` to see what is missing',
  });
  const version = z.enum(['1', '2']).safeParse(stdout.trim());
  const status = await readFile('/proc/self/status', 'utf8').catch(() => undefined);
  return { cgroupVersion: version.data === '1' ? 'v1' : 'v2', sysResource: hasSysResource(status) };
}

/** How many CPUs the engine has for containers. @throws CommandError */
export async function readEngineCpus(run: CommandRunner, signal?: AbortSignal): Promise<number> {
  const { stdout } = await run.run('docker', ['info', '--format', '{{.NCPU}}'], {
    timeoutMs: 30_000,
    signal,
  });
  return z.coerce.number().int().positive().parse(stdout.trim());
}

/**
 * Whether nodes can report other CPUs than the engine's: only where the kernel shows memory nodes, there is a place to mount them.
 *
 * @param image a node image
 */
export async function showsMemoryNodes(
  run: CommandRunner,
  image: string,
  signal?: AbortSignal,
): Promise<boolean> {
  const args = ['run', '--rm', '--network', 'none', '--pull', 'never', '--entrypoint', 'test', image];
  const result = await run.run('docker', [...args, '-d', '/sys/devices/system/node/node0'], {
    reject: false,
    signal,
  });
  return result.exitCode === 0;
}

/**
 * Reads /etc/containerd/config.toml of a node image.
 *
 * @throws InfrastructureError `E_NODE_IMAGE` when the image is missing, or is not a node image
 */
export async function readContainerdConfig(
  run: CommandRunner,
  image: string,
  signal?: AbortSignal,
): Promise<string> {
  const args = ['run', '--rm', '--network', 'none', '--pull', 'never', '--entrypoint', 'cat', image];
  const result = await run.run('docker', [...args, '/etc/containerd/config.toml'], { reject: false, signal });
  if (result.exitCode === 0) return result.stdout;
  throw new InfrastructureError(
    'E_NODE_IMAGE',
    `the node image ${image} cannot be read: ${result.stderr.trim().split('\n').at(-1) ?? ''}`,
    { hint: 'build or pull the node image first: npm run doctor -- --fix', details: { image } },
  );
}
