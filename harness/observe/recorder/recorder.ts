/** Records a namespace: watches the kinds that checks about time need, from before the install to after the uninstall. */
import type { Clock } from '../../core/deadline.ts';
import { systemClock, waitFor, WaitTimeout } from '../../core/deadline.ts';
import { InfrastructureError } from '../../core/errors.ts';
import type { Log } from '../../core/log.ts';
import type { Redact } from '../../core/redact.ts';
import type { KnownKind, KubeClient, WatchEvent, WatchHandle } from '../../kube/api/client.ts';
import { withoutManagedFields } from '../../kube/api/objects.ts';
import type { KubeObject, Pod } from '../../kube/api/types.ts';
import { Backlog } from './backlog.ts';
import { readLastWords } from './last-words.ts';
import { openRecordingFile } from './recording-file.ts';
import { Recording } from './recording.ts';

/** Secrets are never recorded: recordings are stored and published. */
export const RECORDED_KINDS = [
  'Pod',
  'Event',
  'EndpointSlice',
  'Deployment',
  'ReplicaSet',
  'StatefulSet',
  'DaemonSet',
  'Job',
  'PersistentVolumeClaim',
] as const satisfies readonly KnownKind[];

const FLUSH_TIMEOUT_MS = 30_000;

export interface RecorderOptions {
  kube: Pick<KubeClient, 'follow' | 'list' | 'logs'>;
  namespace: string;
  /** Filled; default: a new one. A release whose objects lie in several namespaces has one recording. */
  recording?: Recording | undefined;
  /** Every change is appended to this file as a JSON line; without it the recording stays in memory. */
  file?: string | undefined;
  /** Applied to what is written to the file: environment variables may contain passwords. */
  redact?: Redact | undefined;
  log: Log;
  clock?: Clock | undefined;
}

export interface Recorder {
  readonly recording: Recording;
  /** Resolves when the initial state has been recorded; from then on no change is missed. */
  readonly synced: Promise<void>;
  /** Ends the watches and closes the file. Throws the first error of a watch; a second call does nothing. */
  stop(): Promise<void>;
  /**
   * Resolves once everything that the API server had at the time of the call has been recorded, logs of failed pods included.
   *
   * @throws InfrastructureError `E_RECORDER_BEHIND` after 30 s
   */
  flush(): Promise<void>;
}

/** Starts recording. Wait for `synced` before the first action that has to be recorded. */
// Async, so that a file that cannot be opened rejects like every other error.
// eslint-disable-next-line @typescript-eslint/require-await
export async function startRecorder(options: RecorderOptions): Promise<Recorder> {
  const { kube, namespace, log } = options;
  const clock = options.clock ?? systemClock;
  const recording = options.recording ?? new Recording();
  const file = options.file === undefined ? undefined : openRecordingFile(options.file, options.redact);
  const backlog = new Backlog();
  const lastWords = readLastWords(kube, namespace, recording);

  function onEvent(event: WatchEvent<KubeObject>): void {
    if (event.type === 'SYNC' || !event.object) return;
    const object = withoutManagedFields(event.object);
    const change = recording.add({ at: event.receivedAt, type: event.type, object });
    backlog.received(event.type, object);
    file?.append(change);
    if (object.kind === 'Pod' && event.type !== 'DELETED') lastWords.seen(object as Pod);
  }

  const watches: WatchHandle[] = RECORDED_KINDS.map((kind) => kube.follow(kind, namespace, onEvent));
  const synced = Promise.all(watches.map((watch) => watch.synced)).then(() => {
    log.info('recording', { namespace, changes: recording.changes.length });
  });
  // A caller that does not await `synced` gets the error from flush().
  synced.catch(() => {});

  async function flush(): Promise<void> {
    await synced;
    const alive = backlog.alive();
    const lists = await Promise.all(RECORDED_KINDS.map((kind) => kube.list(kind, { namespace })));
    const missing = backlog.missing(alive, lists.flat());
    try {
      await waitFor({
        what: `the recording of ${namespace} to be up to date`,
        timeoutMs: FLUSH_TIMEOUT_MS,
        intervalMs: 20,
        clock,
        look: () => {
          const [first, ...others] = missing.filter((wanted) => !wanted.arrived());
          if (!first) return Promise.resolve({ done: true, value: undefined });
          return Promise.resolve({ done: false, seen: `missing ${first.title} and ${others.length} others` });
        },
      });
    } catch (error) {
      if (!(error instanceof WaitTimeout)) throw error;
      throw new InfrastructureError('E_RECORDER_BEHIND', error.message, {
        cause: error,
        hint: 'The watch of the namespace stalls: look for broken connections in the log and for overload of the machine.',
      });
    }
    await lastWords.settled();
  }

  let stopped: Promise<void> | undefined;
  async function stop(): Promise<void> {
    const results = await Promise.allSettled(watches.map((watch) => watch.stop()));
    file?.close();
    log.info('recording ended', { namespace, changes: recording.changes.length });
    const failed = results.find((result) => result.status === 'rejected');
    if (failed) throw failed.reason;
  }

  return {
    recording,
    synced,
    flush,
    stop: () => {
      if (stopped) return Promise.resolve();
      stopped = stop();
      return stopped;
    },
  };
}
