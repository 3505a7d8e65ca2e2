/** All matchers of the harness, and how they come into vitest. */
import type { ExpectStatic } from 'vitest';
import { imageMatchers } from './images.ts';
import { placementMatchers } from './placement.ts';
import { replicaMatchers } from './replicas.ts';
import { stabilityMatchers } from './stability.ts';
import { predicateMatchers } from './to-hold.ts';

/** Adds the matchers to an `expect`; call it once per worker, before the first check. */
export function installMatchers(expect: ExpectStatic): void {
  expect.extend({
    ...predicateMatchers,
    ...replicaMatchers,
    ...placementMatchers,
    ...stabilityMatchers,
    ...imageMatchers,
  });
}
