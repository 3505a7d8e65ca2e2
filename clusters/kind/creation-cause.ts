/** Why a kind cluster did not come up, judged by what its parts said. Pure. */

export interface CreationCause {
  cause: string;
  hint: string;
}

/** In the order of how certain a match is: the first one that matches is told. */
const CAUSES: readonly (CreationCause & { pattern: RegExp })[] = [
  {
    pattern: /cannot connect to the docker daemon|is the docker daemon running|docker\.sock: connect/i,
    cause: 'the container engine does not answer',
    hint: 'start the engine, then run again; `npm run doctor` says what is missing',
  },
  {
    pattern: /no space left on device|disk quota exceeded/i,
    cause: "the engine's disk is full",
    hint: 'free space (docker system df shows what uses it), or remove old clusters with `npm run sweep`',
  },
  {
    pattern:
      /failed to (?:allocate directory watch|create (?:inotify|fsnotify))|inotify_(?:init|add_watch)|too many open files/i,
    cause: 'the inotify limits of the machine are used up (they are shared by all containers)',
    hint: 'raise fs.inotify.max_user_instances to 1024 and max_user_watches to 524288: `npm run doctor -- --fix`',
  },
  {
    pattern: /node\(s\) already exist for a cluster with the name/i,
    cause: 'a cluster of this name is there already',
    hint: 'use --reuse to take it, or remove it with `npm run sweep`',
  },
  {
    pattern: /port is already allocated|address already in use/i,
    cause: 'another program took the port for the API server',
    hint: 'run again: a free port is chosen each time',
  },
  {
    pattern: /pull access denied|manifest unknown|failed to pull image|no such image|unable to find image/i,
    cause: 'the node image is not there and could not be pulled',
    hint: 'build it from packages: `npm run doctor -- --fix`',
  },
  {
    pattern:
      /(?:kubelet is configured to not run on a host using cgroup v1|cgroup v1 support is (?:unsupported|in maintenance))/i,
    cause: 'the kubelet refuses cgroup v1',
    hint: 'use a machine with cgroup v2, or an older Kubernetes version (--kubernetes)',
  },
  {
    pattern:
      /oom_score_adj.*(?:permission denied|operation not permitted)|setrlimit.*operation not permitted/i,
    cause: 'containers lack CAP_SYS_RESOURCE, so nothing may lower its OOM score or raise its limits',
    hint: 'run the engine with full privileges, or use the node image that `npm run doctor -- --fix` builds',
  },
  {
    pattern: /could not find a log line that matches/i,
    cause: 'systemd did not start in a node container',
    hint: 'read container.log of the nodes; usual reasons are inotify limits and a node image made for another cgroup version',
  },
  {
    pattern: /cannot allocate memory|out of memory|signal: killed|oom-kill/i,
    cause: 'the machine ran out of memory',
    hint: 'end other clusters (`npm run sweep`), or give the engine more memory',
  },
  {
    pattern:
      /kubelet is not (?:healthy|running)|timed out waiting for the condition|context deadline exceeded|etcdserver: request timed out/i,
    cause: 'the control plane did not become healthy in time',
    hint: 'read kubelet.log and pods.log of the control plane; on a busy machine run again when it is idle',
  },
];

/** The likeliest cause in the given output, or a hint where to read when nothing known matches. */
export function likelyCause(output: string): CreationCause {
  const known = CAUSES.find(({ pattern }) => pattern.test(output));
  if (known) return { cause: known.cause, hint: known.hint };
  return { cause: 'no known cause matches', hint: 'read the evidence files; they hold what every node said' };
}
