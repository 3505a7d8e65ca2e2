/** What the engine and the node image are like, as far as the cluster's configuration depends on it. */
import { readFile } from 'node:fs/promises';
import { z } from 'zod';
import type { CommandRunner } from '../../harness/core/command.ts';
import { InfrastructureError } from '../../harness/core/errors.ts';
import type { EngineFacts } from './kind-config.ts';

const CAP_SYS_RESOURCE = 24n;

/**
 * Asks the engine for its cgroup version, and this machine for the capabilities that containers can have.
 *
 * Containers cannot have more than the bounding set of the machine (capabilities(7)); where there is no /proc, the engine runs in a
 * virtual machine of its own, which lacks nothing.
 */
export async function readEngineFacts(
  run: CommandRunner,
  options: { signal?: AbortSignal | undefined; procStatus?: string } = {},
): Promise<EngineFacts> {
  const { stdout } = await run.run('docker', ['info', '--format', '{{.CgroupVersion}}'], {
    timeoutMs: 30_000,
    signal: options.signal,
    hint: 'start the engine, or run `npm run doctor` to see what is missing',
  });
  const version = z.enum(['1', '2']).safeParse(stdout.trim());
  const status = await readFile(options.procStatus ?? '/proc/self/status', 'utf8').catch(() => '');
  return { cgroupVersion: version.data === '1' ? 'v1' : 'v2', sysResource: hasSysResource(status) };
}

function hasSysResource(procStatus: string): boolean {
  const hex = /^CapBnd:\s*([0-9a-f]+)$/m.exec(procStatus)?.[1];
  return hex === undefined || ((BigInt(`0x${hex}`) >> CAP_SYS_RESOURCE) & 1n) === 1n;
}

/**
 * /etc/containerd/config.toml of a node image.
 *
 * @throws InfrastructureError `E_NODE_IMAGE` when there is no such image, or it is none of kind's
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
