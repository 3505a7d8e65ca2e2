/** How much room a check or a proof asks for. */
import { Lifecycle } from '../../core/lifecycle.ts';
import type { Check, CheckOptions } from './check.ts';
import { Lab } from './lab.ts';
import { releaseDemand } from './release-demand.ts';
import type { Claim, RoomRequest } from './room.ts';
import type { SharedLab } from './shared-lab.ts';

/**
 * The room for the releases that a check installs; `undefined` when it installs none.
 *
 * @param sharesRelease whether a release that checks share is on the cluster, or going to be
 */
export function roomForCheck(
  { id, suite, options }: Pick<Check, 'id' | 'suite' | 'options'>,
  shared: SharedLab,
  { sharesRelease }: { sharesRelease: boolean },
): RoomRequest | undefined {
  const releases = ownReleases(options);
  if (releases === 0) return undefined;
  const { sharedNamespaces, namespacesOf } = shared;
  return {
    ...claimOf(shared, () =>
      [...(namespacesOf.get(id) ?? [])].filter((name) => !sharedNamespaces.includes(name)),
    ),
    by: id,
    suite,
    releases,
    shared: sharesRelease ? claimOf(shared, () => sharedNamespaces) : undefined,
  };
}

/**
 * The room for a proof, whose checks run one after the other: for the release that they share, and the most that one of them installs
 * beside it.
 *
 * @param lab of the proof: the fault may change what its releases ask for
 */
export function roomForProof(checks: readonly Check[], lab: SharedLab): RoomRequest | undefined {
  const { fault, subject, definition } = lab.deps;
  const shared = checks.some(usesShared) ? 1 : 0;
  const own = Math.max(0, ...checks.map(({ options }) => ownReleases(options)));
  const releases = subject.once === true ? Math.max(shared, own) : shared + own;
  if (releases === 0) return undefined;
  const { sharedNamespaces, namespacesOf } = lab;
  return {
    ...claimOf(lab, () => [
      ...sharedNamespaces,
      ...[...namespacesOf.values()].flatMap((names) => [...names]),
    ]),
    by: `fault ${fault?.name ?? ''}`,
    suite: definition.name,
    releases,
  };
}

export function usesShared({ options }: Pick<Check, 'options'>): boolean {
  return options.release !== 'none';
}

function ownReleases({ release, static: isStatic, releases }: CheckOptions): number {
  return releases ?? (release === 'none' && isStatic !== true ? 1 : 0);
}

function claimOf(shared: SharedLab, namespaces: Claim['namespaces']): Claim {
  return {
    namespaces,
    pods: async (nodes) => {
      const lab = new Lab(shared, new Lifecycle(shared.deps.log), 'room');
      const { objects, namespace } = await lab.subject();
      return releaseDemand([...objects, ...(await shared.prerequisites())], nodes, { namespace });
    },
  };
}
