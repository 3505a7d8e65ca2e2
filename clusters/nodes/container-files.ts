/** Files as the processes of a container see them, accessed from its node: an image may have no shell and no cat. */
import { InfrastructureError } from '../../harness/core/errors.ts';
import type { Pod } from '../../harness/kube/api/types.ts';
import type { NodeAccess } from '../../harness/kube/cluster/cluster.ts';
import { cgroupOf } from './container-cgroup.ts';

export interface ContainerFiles {
  /** SHA-256 of each file in hexadecimal; a path without a readable file is absent. */
  hashes(paths: readonly string[]): Promise<Map<string, string>>;
  /** Writes a small file; `false` when the file system is read-only, or the folder does not exist. */
  write(path: string, text: string): Promise<boolean>;
}

// Follows links within the root of the container: the kernel would follow absolute ones in the root of the node.
const INSIDE = `
inside() {
  at=; rest=\${2#/}; links=0
  while [ -n "$rest" ]; do
    part=\${rest%%/*}
    case $rest in */*) rest=\${rest#*/} ;; *) rest= ;; esac
    case $part in ''|.) continue ;; ..) at=\${at%/*}; continue ;; esac
    if [ -L "$1$at/$part" ] && [ $links -lt 40 ]; then
      links=$((links + 1)); link=$(readlink "$1$at/$part")
      case $link in /*) at= ;; esac
      rest="$link\${rest:+/$rest}"; rest=\${rest#/}
    else at="$at/$part"; fi
  done
  printf %s "$1$at"
}
root=/proc/$1/root; shift
`;
const HASHES = `${INSIDE}
for path; do
  hash=$(sha256sum < "$(inside "$root" "$path")" 2> /dev/null) || hash=-
  echo "\${hash%% *}"
done
`;
const WRITE = `${INSIDE}
file=$(inside "$root" "$1"); [ -d "\${file%/*}" ] && printf %s "$2" 2> /dev/null > "$file"
`;

/**
 * The files of a running container, by its first process.
 *
 * @throws CheckFailure as `cgroupOf`, when the container does not run
 */
export async function filesOf(access: NodeAccess, pod: Pod, container: string): Promise<ContainerFiles> {
  const [pid] = await (await cgroupOf(access, pod, container)).pids();
  const node = pod.spec.nodeName ?? '';
  if (pid === undefined)
    throw new InfrastructureError(
      'E_NO_PROCESS',
      `${pod.metadata.name}/${container} has no process on ${node}`,
    );
  const shell = (script: string, args: readonly string[]) =>
    access.run(node, ['sh', '-c', script, 'files', String(pid), ...args], { reject: false });
  return {
    async hashes(paths) {
      if (paths.length === 0) return new Map();
      const { exitCode, stdout, stderr } = await shell(HASHES, paths);
      const lines = stdout.trimEnd().split('\n');
      if (exitCode !== 0 || lines.length !== paths.length)
        throw new InfrastructureError('E_NODE_FILES', `files could not be read on ${node}: ${stderr.trim()}`);
      return new Map(
        paths.flatMap((path, index) => {
          const hash = lines[index] ?? '-';
          return hash === '-' ? [] : [[path, hash] as const];
        }),
      );
    },
    async write(path, text) {
      return (await shell(WRITE, [path, text])).exitCode === 0;
    },
  };
}
