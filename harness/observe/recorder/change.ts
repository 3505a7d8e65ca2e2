/** The entries of a recording, and what is derived from them. */
import type { KubeObject } from '../../kube/api/types.ts';

export interface RecordedChange {
  /** Position in the recording, 0, 1, 2 …; a total order over all kinds. */
  seq: number;
  /** When this process received it, ms since the epoch. */
  at: number;
  type: 'ADDED' | 'MODIFIED' | 'DELETED';
  object: KubeObject;
}

/** Something that happened to a pod or to one of its containers, as a readable line. */
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
