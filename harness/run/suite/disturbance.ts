import type { AttachedCluster } from './attached-cluster.ts';
import type { Release } from './release.ts';

/** Breaks something on a running release, for a fault that no manifest can express. */
export type Disturbance = (context: { release: Release; cluster: AttachedCluster }) => Promise<void>;
