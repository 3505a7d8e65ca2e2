/** Matchers about where pods run. */
import type { AllowedNodes } from '../predicates/live/placement.ts';
import { nodesAllowed, spread } from '../predicates/live/placement.ts';
import type { MatcherContext, MatcherOutcome } from './settle.ts';
import { settle, workload } from './settle.ts';

interface PlacementMatchers<R = unknown> {
  /** The pods are spread evenly over the nodes that they may use, by a label of the nodes. */
  toBeSpreadOver(topologyKey: string, options?: { maxSkew: number }): R;
  /** Every pod is on a node with these labels, or this taint, that its own spec admits. */
  toRunOnlyOnNodes(allowed: AllowedNodes): R;
}

declare module 'vitest' {
  // eslint-disable-next-line @typescript-eslint/no-empty-object-type, @typescript-eslint/no-explicit-any, @typescript-eslint/no-unused-vars -- must repeat the type parameters of vitest
  interface Matchers<T = any> extends PlacementMatchers<Promise<void>> {}
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
  async toRunOnlyOnNodes(
    this: MatcherContext,
    received: unknown,
    allowed: AllowedNodes,
  ): Promise<MatcherOutcome> {
    const handle = workload(received, 'toRunOnlyOnNodes');
    const [pods, nodes] = await Promise.all([handle.pods(), handle.nodes()]);
    return settle(this, nodesAllowed(pods, nodes, allowed));
  },
};
