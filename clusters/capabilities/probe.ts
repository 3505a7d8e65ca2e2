/** What the probes of capabilities share: namespaces of their own, pods that wait to be used, the image they run. */
import { randomBytes } from 'node:crypto';
import type { Clock } from '../../harness/core/deadline.ts';
import { systemClock, waitFor, WaitTimeout } from '../../harness/core/deadline.ts';
import { messageOf } from '../../harness/core/errors.ts';
import type { Log } from '../../harness/core/log.ts';
import { silentLog } from '../../harness/core/log.ts';
import type { ExecResult, KubeClient } from '../../harness/kube/api/client.ts';
import { createNamespace } from '../../harness/kube/api/new-namespace.ts';
import type { Pod } from '../../harness/kube/api/types.ts';
import type { CapabilityResult, Cluster } from '../cluster.ts';

/** An image with which probes talk and share files; it has to be on the nodes already. */
export interface ProbeImage {
  ref: string;
  /** Serves the text to everyone who connects to the port, for ever. */
  serve(port: number, text: string): string[];
  /** Prints what the server says; ends within three seconds. */
  fetch(host: string, port: number): string[];
  /** Writes text to a file, and prints a file. */
  write(path: string, text: string): string[];
  read(path: string): string[];
}

export interface ProbeOptions {
  /** Default: an image with busybox that all nodes have. */
  image?: ProbeImage | undefined;
  /** Labels of the namespaces that probes make, by which a sweep finds them. */
  labels?: Record<string, string> | undefined;
  /** The class that `shared-storage` proves; default `shared`. */
  sharedStorageClass?: string | undefined;
  clock?: Clock | undefined;
  log?: Log | undefined;
  signal?: AbortSignal | undefined;
}

/** What a probe found; the name is added by the caller. */
export type ProbeResult = Omit<CapabilityResult, 'name'>;

export interface ProbeContext {
  cluster: Cluster;
  kube: KubeClient;
  clock: Clock;
  log: Log;
  signal: AbortSignal | undefined;
  sharedStorageClass: string;
  image(): Promise<ProbeImage | undefined>;
  /** Runs a probe in a namespace of its own, which is removed however the probe ends. */
  inNamespace: <T>(work: (namespace: string) => Promise<T>, labels?: Record<string, string>) => Promise<T>;
}

/** Probes with busybox, which is in the node image and in most users' own. */
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
  return {
    cluster,
    kube,
    clock: options.clock ?? systemClock,
    log,
    signal: options.signal,
    sharedStorageClass: options.sharedStorageClass ?? 'shared',
    image: async () => options.image ?? (await findBusybox(cluster)),
    async inNamespace(work, labels = {}) {
      const name = `kp-probe-${randomBytes(4).toString('hex')}`;
      try {
        const all = { 'kindproof.dev/probe': 'true', ...options.labels, ...labels };
        await createNamespace(kube, { name, labels: all }, options);
        return await work(name);
      } finally {
        await kube.delete('Namespace', { name }).catch((error: unknown) => {
          log.warn('namespace of a probe not removed', { namespace: name, error: messageOf(error) });
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

export interface ProbePod {
  namespace: string;
  name: string;
  image: string;
  command: string[];
  node?: string | undefined;
  labels?: Record<string, string>;
  /** Mounted at /shared. */
  claim?: string | undefined;
}

/** A pod that satisfies the `restricted` Pod Security Standard and runs on any node, tainted or not. */
export function probePod(options: ProbePod): Pod {
  const { namespace, name, image, command, node, labels = {}, claim } = options;
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name, namespace, labels: { 'kindproof.dev/probe': name, ...labels } },
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

/**
 * Waits for a pod of a probe.
 *
 * @returns the running pod, or why it does not run
 */
export async function waitForProbePod(
  context: ProbeContext,
  ref: { namespace: string; name: string },
  timeoutMs = 150_000,
): Promise<{ pod: Pod } | { failed: string }> {
  try {
    const pod = await waitFor({
      what: `probe pod ${ref.name} to run`,
      timeoutMs,
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

/** Runs a command in a probe's pod. */
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
