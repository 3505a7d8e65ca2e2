/** Shared by the capability probes: a namespace for each probe, probe pods and their image. */
import { randomBytes } from 'node:crypto';
import type { Clock } from '../../harness/core/deadline.ts';
import { systemClock, waitFor, WaitTimeout } from '../../harness/core/deadline.ts';
import { messageOf } from '../../harness/core/errors.ts';
import type { Log } from '../../harness/core/log.ts';
import { silentLog } from '../../harness/core/log.ts';
import type { ExecResult, KubeClient } from '../../harness/kube/api/client.ts';
import { createNamespace } from '../../harness/kube/api/new-namespace.ts';
import type { Pod } from '../../harness/kube/api/types.ts';
import type { CapabilityResult, Cluster } from '../../harness/kube/cluster/cluster.ts';

/** An image on all nodes, with its commands for probe pods. */
interface ProbeImage {
  ref: string;
  /** Sends the text to every client of the port, until the container is killed. */
  serve(port: number, text: string): string[];
  /** Prints the server's answer; ends within three seconds. */
  fetch(host: string, port: number): string[];
  /** Writes the text to a file. */
  write(path: string, text: string): string[];
  /** Prints a file. */
  read(path: string): string[];
}

export interface ProbeOptions {
  /** For what a probe creates; by the run label, a later run finds the namespaces of a killed one. */
  labels?: Record<string, string> | undefined;
  clock?: Clock | undefined;
  log?: Log | undefined;
  signal?: AbortSignal | undefined;
}

/** The result of a probe; the caller adds the capability's name. */
export type ProbeResult = Omit<CapabilityResult, 'name'>;

export interface ProbeContext {
  cluster: Cluster;
  kube: KubeClient;
  clock: Clock;
  log: Log;
  signal: AbortSignal | undefined;
  /** For the namespaces and cluster-scoped objects that a probe creates. */
  labels: Record<string, string>;
  /** An image with busybox that all nodes have. */
  image(): Promise<ProbeImage | undefined>;
  /** Runs a probe in a new namespace, and deletes the namespace on every exit path, also after `signal` has aborted. */
  inNamespace: <T>(work: (namespace: string) => Promise<T>, labels?: Record<string, string>) => Promise<T>;
}

/** Commands of busybox, which is in the node image and often on the nodes of existing clusters. */
function busyboxProbe(ref: string): ProbeImage {
  const sh = (script: string, ...args: string[]) => ['/bin/busybox', 'sh', '-c', script, 'probe', ...args];
  return {
    ref,
    serve: (port, text) =>
      sh('while true; do echo "$2" | /bin/busybox nc -l -p "$1"; done', String(port), text),
    fetch: (host, port) => sh('/bin/busybox nc -w 2 "$1" "$2" < /dev/null', host, String(port)),
    write: (path, text) => sh('echo "$2" > "$1"', path, text),
    read: (path) => sh('while read -r line; do echo "$line"; done < "$1"', path),
  };
}

const HAS_BUSYBOX = /(?:^|\/)(?:local-path-helper|busybox)[:@]/;

export function createProbeContext(cluster: Cluster, options: ProbeOptions): ProbeContext {
  const { kube } = cluster;
  const log = options.log ?? silentLog;
  const labels = { 'kindproof.dev/probe': 'true', ...options.labels };
  return {
    cluster,
    kube,
    clock: options.clock ?? systemClock,
    log,
    signal: options.signal,
    labels,
    image: () => findBusybox(cluster),
    async inNamespace(work, more = {}) {
      const name = `kp-probe-${randomBytes(4).toString('hex')}`;
      try {
        await createNamespace(kube, { name, labels: { ...labels, ...more } }, options);
        return await work(name);
      } finally {
        await kube.teardown.delete('Namespace', { name }).catch((error: unknown) => {
          log.warn('probe namespace not deleted', { namespace: name, error: messageOf(error) });
        });
      }
    },
  };
}

async function findBusybox(cluster: Cluster): Promise<ProbeImage | undefined> {
  const lists = [...(await cluster.imagesOnNodes()).values()];
  const [first, ...others] = lists;
  const ref = [...(first ?? [])].find(
    (name) => HAS_BUSYBOX.test(name) && others.every((list) => list.has(name)),
  );
  return ref === undefined ? undefined : busyboxProbe(ref);
}

interface ProbePodOptions {
  namespace: string;
  name: string;
  image: string;
  command: string[];
  node?: string | undefined;
  /** Mounted at /shared. */
  claim?: string | undefined;
}

/** A pod that satisfies the `restricted` Pod Security Standard and tolerates all taints. */
export function probePod(options: ProbePodOptions): Pod {
  const { namespace, name, image, command, node, claim } = options;
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name, namespace, labels: { 'kindproof.dev/probe': name } },
    spec: {
      terminationGracePeriodSeconds: 0,
      ...(node !== undefined && { nodeSelector: { 'kubernetes.io/hostname': node } }),
      tolerations: [{ operator: 'Exists' }],
      securityContext: {
        runAsNonRoot: true,
        runAsUser: 65532,
        runAsGroup: 65532,
        fsGroup: 65532,
        seccompProfile: { type: 'RuntimeDefault' },
      },
      containers: [
        {
          name: 'probe',
          image,
          imagePullPolicy: 'IfNotPresent',
          command,
          securityContext: { allowPrivilegeEscalation: false, capabilities: { drop: ['ALL'] } },
          ...(claim !== undefined && { volumeMounts: [{ name: 'shared', mountPath: '/shared' }] }),
        },
      ],
      ...(claim !== undefined && {
        volumes: [{ name: 'shared', persistentVolumeClaim: { claimName: claim } }],
      }),
    },
  };
}

/** @returns the running pod, or why it is not running at the end of the timeout */
export async function waitForProbePod(
  context: ProbeContext,
  ref: { namespace: string; name: string },
): Promise<{ pod: Pod } | { failed: string }> {
  try {
    const pod = await waitFor({
      what: `probe pod ${ref.name} to run`,
      timeoutMs: 150_000,
      clock: context.clock,
      signal: context.signal,
      look: async () => {
        const found = await context.kube.get('Pod', ref);
        const status = found?.status;
        const ready = status?.containerStatuses?.every((container) => container.ready) ?? false;
        if (found && status?.phase === 'Running' && ready) return { done: true, value: found };
        return { done: false, seen: describe(found) };
      },
    });
    return { pod };
  } catch (error) {
    if (error instanceof WaitTimeout) return { failed: error.message };
    throw error;
  }
}

function describe(pod: Pod | undefined): string {
  const waiting = pod?.status?.containerStatuses?.find((c) => c.state?.waiting)?.state?.waiting;
  const unscheduled = pod?.status?.conditions?.find((c) => c.type === 'PodScheduled' && c.status === 'False');
  const why = waiting ?? unscheduled;
  const text = why === undefined ? '' : ` (${[why.reason, why.message].filter((part) => part).join(': ')})`;
  return `${pod?.status?.phase ?? 'no pod'}${text}`;
}

/** Runs a command in a probe pod. */
export async function execProbe(
  context: ProbeContext,
  ref: { namespace: string; pod: string },
  command: string[],
): Promise<ExecResult> {
  return context.kube.exec({
    ...ref,
    container: 'probe',
    command,
    timeoutMs: 15_000,
    signal: context.signal,
  });
}
