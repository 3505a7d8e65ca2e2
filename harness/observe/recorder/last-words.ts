/**
 * Reads the logs of pods that somebody deletes because they failed: helm (`hook-failed` in helm.sh/hook-delete-policy), the Job controller
 * (backoffLimit with restartPolicy OnFailure), a time to live. Their logs exist only until then.
 */
import type { KubeClient } from '../../kube/api/client.ts';
import type { Pod } from '../../kube/api/types.ts';
import { statuses } from './container-steps.ts';
import type { Recording } from './recording.ts';

export interface LastWords {
  /** Starts to read the logs of the containers that have failed since the last state of the pod, or that run while it is deleted. */
  seen(pod: Pod): void;
  /** Resolves when no log is being read. */
  settled(): Promise<void>;
}

const LOG_LINES = 40;
const LOG_BYTES = 64_000;
const LOG_MS = 20_000;
/** Each failed attempt of a Job is a pod of its own; more logs say the same. */
const MAX_LOGS = 50;

export function readLastWords(
  kube: Pick<KubeClient, 'logs'>,
  namespace: string,
  recording: Pick<Recording, 'keepLog'>,
): LastWords {
  const known = new Set<string>();
  const reading = new Set<Promise<void>>();

  async function read(pod: string, container: string, previous: boolean): Promise<void> {
    const limits = { tailLines: LOG_LINES, limitBytes: LOG_BYTES, timeoutMs: LOG_MS };
    try {
      const text = await kube.logs({ namespace, pod, container, previous, ...limits });
      if (text !== undefined) recording.keepLog(pod, container, text);
    } catch {
      // The pod may be gone already; its recorded states still have the exit code.
    }
  }

  return {
    seen: (pod) => {
      if (!mayVanish(pod)) return;
      const { name, deletionTimestamp } = pod.metadata;
      for (const { status } of statuses(pod)) {
        const ended = status.state?.terminated ?? status.lastState?.terminated;
        // A hook that did not end in time is deleted while it runs.
        const isCut = deletionTimestamp !== undefined && status.state?.running !== undefined;
        if (!isCut && (ended === undefined || ended.exitCode === 0)) continue;
        const instance = isCut ? status.containerID : (ended?.containerID ?? ended?.finishedAt);
        const id = `${name} ${status.name} ${instance ?? ''}`;
        if (known.has(id) || known.size >= MAX_LOGS) continue;
        known.add(id);
        const previous = !isCut && status.state?.terminated === undefined;
        const started = read(name, status.name, previous).finally(() => reading.delete(started));
        reading.add(started);
      }
    },
    settled: async () => {
      await Promise.all(reading);
    },
  };
}

/** Pods of Jobs, and hooks that are pods. */
function mayVanish({ metadata }: Pod): boolean {
  const isHook = metadata.annotations?.['helm.sh/hook'] !== undefined;
  return isHook || (metadata.ownerReferences ?? []).some(({ kind }) => kind === 'Job');
}
