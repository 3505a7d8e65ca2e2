/** Installs the matchers of the harness in vitest. */
import type { ExpectStatic } from 'vitest';
import type { PlacementMatchers } from './placement.ts';
import { placementMatchers } from './placement.ts';
import type { ReplicaMatchers } from './replicas.ts';
import { replicaMatchers } from './replicas.ts';
import type { StabilityMatchers } from './stability.ts';
import { stabilityMatchers } from './stability.ts';
import type { PredicateMatchers } from './to-hold.ts';
import { predicateMatchers } from './to-hold.ts';

type AllMatchers<R> = PredicateMatchers<R> & ReplicaMatchers<R> & PlacementMatchers<R> & StabilityMatchers<R>;

declare module 'vitest' {
  /* eslint-disable-next-line @typescript-eslint/no-empty-object-type, @typescript-eslint/no-explicit-any,
     @typescript-eslint/no-unused-vars -- must repeat the type parameters of vitest */
  interface Matchers<T = any> extends AllMatchers<Promise<void>> {}
}

/** Call it once per worker, before the first check. */
export function installMatchers(expect: ExpectStatic): void {
  expect.extend({ ...predicateMatchers, ...replicaMatchers, ...placementMatchers, ...stabilityMatchers });
}
