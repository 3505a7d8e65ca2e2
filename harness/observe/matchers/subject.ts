/** What the matchers ask questions of. Release objects implement it; nothing here knows how they come to be. */
import type { Node, Pod, Workload } from '../../kube/api/types.ts';
import type { RecordingLike } from '../recorder/recording-like.ts';

export type WorkloadKind = 'Deployment' | 'StatefulSet' | 'DaemonSet';

/** A live workload: every call reads it anew. */
export interface WorkloadHandle {
  kind: WorkloadKind;
  name: string;
  namespace: string;
  read(): Promise<Workload>;
  /** The workload's own pods, by selector and owner; throws when there are none. */
  pods(): Promise<Pod[]>;
  nodes(): Promise<Node[]>;
  recording: RecordingLike;
}

/** True for values that the workload matchers can work on. */
export function isWorkloadHandle(value: unknown): value is WorkloadHandle {
  const handle = value as Partial<WorkloadHandle> | null | undefined;
  return typeof handle?.read === 'function' && typeof handle.pods === 'function';
}
