/** Matchers about where pods run. */
import { spread } from '../predicates/live/placement.ts';
import type { MatcherContext, MatcherOutcome } from './settle.ts';
import { settle, workload } from './settle.ts';

export interface PlacementMatchers<R = unknown> {
  /** The pods are spread evenly, by a node label, over the nodes that they may use. */
  toBeSpreadOver(topologyKey: string, options?: { maxSkew: number }): R;
}

export const placementMatchers = {
  async toBeSpreadOver(
    this: MatcherContext,
    received: unknown,
    topologyKey: string,
    options: { maxSkew: number } = { maxSkew: 1 },
  ): Promise<MatcherOutcome> {
    const handle = workload(received, 'toBeSpreadOver');
    const [pods, nodes] = await Promise.all([handle.pods(), handle.nodes()]);
    return settle(this, spread(pods, nodes, topologyKey, options));
  },
};
