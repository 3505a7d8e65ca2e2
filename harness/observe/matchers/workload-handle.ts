/** What the workload matchers read. The release objects of harness/run/suite implement it. */
import type { Node, Pod, Workload } from '../../kube/api/types.ts';
import type { Recording } from '../recorder/recording.ts';

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
  recording: Recording;
}

export function isWorkloadHandle(value: unknown): value is WorkloadHandle {
  const handle = value as Partial<WorkloadHandle> | null | undefined;
  return typeof handle?.read === 'function' && typeof handle.pods === 'function';
}
