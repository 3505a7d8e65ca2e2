/** Finds the likely cause of a failed cluster creation in its output. Pure. */

export interface CreationCause {
  cause: string;
  hint: string;
}

/** Most reliable pattern first: the first match wins. */
const CAUSES: readonly (CreationCause & { pattern: RegExp })[] = [
  {
    pattern: /cannot connect to the docker daemon|is the docker daemon running|docker\.sock: connect/i,
    cause: 'the container engine does not answer',
    hint: 'start the engine, then run again; `npm run doctor` shows what is missing',
  },
  {
    pattern: /no space left on device|disk quota exceeded/i,
    cause: "the engine's disk is full",
    hint: 'free disk space (docker system df shows the usage), or remove old clusters with `npm run sweep`',
  },
  {
    pattern:
      /failed to (?:allocate directory watch|create (?:inotify|fsnotify))|inotify_(?:init|add_watch)|too many open files/i,
    cause: 'the inotify limits of the machine are exhausted (all containers share them)',
    hint: 'raise fs.inotify.max_user_instances to 1024 and max_user_watches to 524288: `npm run doctor -- --fix`',
  },
  {
    pattern: /port is already allocated|address already in use/i,
    cause: 'another program uses the port chosen for the API server',
    hint: 'run again: kind chooses another free port',
  },
  {
    pattern: /pull access denied|manifest unknown|failed to pull image|no such image|unable to find image/i,
    cause: 'the node image is missing and could not be pulled',
    hint: 'build it from packages: `npm run doctor -- --fix`',
  },
  {
    pattern:
      /(?:kubelet is configured to not run on a host using cgroup v1|cgroup v1 support is (?:unsupported|in maintenance))/i,
    cause: 'the kubelet rejects cgroup v1',
    hint: 'use a machine with cgroup v2, or an older Kubernetes version (--kubernetes)',
  },
  {
    pattern:
      /oom_score_adj.*(?:permission denied|operation not permitted)|setrlimit.*operation not permitted/i,
    cause: 'containers lack CAP_SYS_RESOURCE, so no process may lower its OOM score or raise its limits',
    hint: 'run the engine with full privileges, or use the node image that `npm run doctor -- --fix` builds',
  },
  {
    pattern: /could not find a log line that matches/i,
    cause: 'systemd did not start in a node container',
    hint: 'read container.log of the nodes; usual causes are inotify limits and a node image for another cgroup version',
  },
  {
    pattern: /cannot allocate memory|out of memory|signal: killed|oom-kill/i,
    cause: 'the machine ran out of memory',
    hint: 'remove other clusters (`npm run sweep`), or give the engine more memory',
  },
  {
    pattern:
      /kubelet is not (?:healthy|running)|timed out waiting for the condition|context deadline exceeded|etcdserver: request timed out/i,
    cause: 'the control plane did not become healthy in time',
    hint: 'read kubelet.log and pods.log of the control plane; on a busy machine, run again when it is idle',
  },
];

/** The most likely cause in the output. If no known cause matches, the hint names the evidence. */
export function likelyCause(output: string): CreationCause {
  const known = CAUSES.find(({ pattern }) => pattern.test(output));
  if (known) return { cause: known.cause, hint: known.hint };
  return { cause: 'no known cause matches', hint: 'read the evidence: it has the logs of every node' };
}
