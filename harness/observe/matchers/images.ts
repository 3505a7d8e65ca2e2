/** Matchers about the images that run. */
import { imageIdMatches, noPulling } from '../predicates/live/image.ts';
import type { MatcherContext, MatcherOutcome } from './settle.ts';
import { settle, workload } from './settle.ts';

interface ImageMatchers<R = unknown> {
  /** The container of every pod runs the image with this digest. */
  toRunImage(container: string, digest: string | readonly string[]): R;
  /** No node had to pull an image for these pods. */
  toHavePulledNothing(): R;
}

declare module 'vitest' {
  // eslint-disable-next-line @typescript-eslint/no-empty-object-type, @typescript-eslint/no-explicit-any, @typescript-eslint/no-unused-vars -- must repeat the type parameters of vitest
  interface Matchers<T = any> extends ImageMatchers<Promise<void>> {}
}

export const imageMatchers = {
  async toRunImage(
    this: MatcherContext,
    received: unknown,
    container: string,
    digest: string | readonly string[],
  ): Promise<MatcherOutcome> {
    return settle(this, imageIdMatches(await workload(received, 'toRunImage').pods(), container, digest));
  },
  async toHavePulledNothing(this: MatcherContext, received: unknown): Promise<MatcherOutcome> {
    const handle = workload(received, 'toHavePulledNothing');
    return settle(this, noPulling(handle.recording, await handle.pods()));
  },
};
