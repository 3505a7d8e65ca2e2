/** What a recording consists of, and what it tells. */
import type { KubeObject } from '../../kube/api/types.ts';

export interface RecordedChange {
  /** Position in the recording, 0, 1, 2 …; total order over all kinds. */
  seq: number;
  /** When this process received it, ms since the epoch. */
  at: number;
  type: 'ADDED' | 'MODIFIED' | 'DELETED';
  object: KubeObject;
}

/** Something that happened to a container, in the reader's words. */
export interface PodMoment {
  at: number;
  pod: string;
  container?: string;
  kind:
    | 'created'
    | 'scheduled'
    | 'init-started'
    | 'init-finished'
    | 'started'
    | 'ready'
    | 'unready'
    | 'waiting'
    | 'terminated'
    | 'restarted'
    | 'oom-killed'
    | 'deleting'
    | 'deleted'
    | 'event';
  text: string;
  warning: boolean;
}
