/** Collects evidence of a failed cluster creation, before the cluster is removed. */
import { join } from 'node:path';
import type { CommandRunner } from '../../harness/core/command.ts';
import { messageOf } from '../../harness/core/errors.ts';
import { writePrivateFile } from '../../harness/core/private-files.ts';
import type { NodeContainer } from './node-containers.ts';
import { listNodeContainers } from './node-containers.ts';

const TIMEOUT_MS = 20_000;

/** Files for each node: the container's log, and logs from inside the node if it is running. */
const NODE_FILES: readonly { file: string; command: (node: string) => string[]; running: boolean }[] = [
  { file: 'container.log', command: (node) => ['logs', '--tail', '500', node], running: false },
  {
    file: 'kubelet.log',
    command: (node) => ['exec', node, 'journalctl', '--no-pager', '-u', 'kubelet', '-n', '400'],
    running: true,
  },
  {
    file: 'containerd.log',
    command: (node) => ['exec', node, 'journalctl', '--no-pager', '-u', 'containerd', '-n', '200'],
    running: true,
  },
  {
    file: 'pods.log',
    command: (node) => ['exec', node, 'sh', '-c', 'tail -n 60 /var/log/pods/*/*/*.log 2>/dev/null'],
    running: true,
  },
];

/**
 * Writes the output of kind, the list of containers and the logs of every node to `directory`. Never throws: if evidence is unavailable,
 * its file contains the reason.
 *
 * @returns all evidence as one text, to search for the cause
 */
export async function collectCreationEvidence(
  run: CommandRunner,
  options: {
    cluster: string;
    directory: string | undefined;
    kindOutput: string;
    more?: Record<string, string>;
  },
): Promise<string> {
  const { cluster, directory } = options;
  const containers = await listNodeContainers(run, cluster).catch(() => [] as NodeContainer[]);
  const files = [
    { file: 'kind-create.log', text: Promise.resolve(options.kindOutput) },
    { file: 'docker-ps.txt', text: output(run, ['ps', '--all', '--size', '--no-trunc']) },
    ...Object.entries(options.more ?? {}).map(([file, text]) => ({ file, text: Promise.resolve(text) })),
    ...containers.flatMap((node) =>
      NODE_FILES.filter(({ running }) => !running || node.state === 'running').map(({ file, command }) => ({
        file: join(node.name, file),
        text: output(run, command(node.name)),
      })),
    ),
  ];
  const texts = await Promise.all(
    files.map(async ({ file, text }) => {
      const content = await text;
      if (directory !== undefined) await write(join(directory, file), content);
      return content;
    }),
  );
  return texts.join('\n');
}

async function output(run: CommandRunner, args: string[]): Promise<string> {
  try {
    const { stdout, stderr } = await run.run('docker', args, { reject: false, timeoutMs: TIMEOUT_MS });
    return `${stdout}${stderr}`;
  } catch (error) {
    return `could not be collected: ${messageOf(error)}\n`;
  }
}

async function write(path: string, content: string): Promise<void> {
  try {
    await writePrivateFile(path, content);
  } catch {
    // A full disk must not hide the failure of the cluster.
  }
}
