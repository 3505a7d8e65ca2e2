/** From the version before to the subject, and back. */
import { CheckFailure, DoesNotFit } from '../../../harness/core/errors.ts';
import type { KubeObject, Pod } from '../../../harness/kube/api/types.ts';
import { immutableChanges, selectorsStay } from '../../../harness/observe/predicates/rendered/immutable.ts';
import { nothingWrong } from '../../../harness/observe/predicates/result.ts';
import { expect } from '../../../harness/run/suite/assertions.ts';
import type { Lab } from '../../../harness/run/suite/lab.ts';
import type { Release } from '../../../harness/run/suite/release.ts';
import { BlockedError } from '../../../harness/run/suite/shared-lab.ts';
import { type ClaimMarker, fateOf, fateText, markClaims } from '../claim-markers.ts';
import { requirement } from '../kit.ts';
import { runningWorkloads } from '../live-workloads.ts';

/** What the API server, or helm on its behalf, refuses. */
const REFUSED: readonly string[] = ['E_INSTALL_REFUSED', 'E_APPLY'];

requirement(
  'X-04',
  'is upgraded from the version before and taken back to it, and keeps its data',
  { release: 'none', disruptive: true, timeoutMs: 1_200_000, typicalMs: 150_000 },
  async ({ lab, kube, cluster, observe, note }) => {
    const { nodes } = cluster;
    const release = await versionBefore(lab);
    const { namespace } = release;
    const older = release.objects;
    const newer = (await lab.render({ namespace })).objects;
    const before = await podsByWorkload(release);
    const markers: ClaimMarker[] = [];
    if (nodes)
      for (const [title, pods] of before)
        for (const pod of pods) markers.push(...(await markClaims(nodes, { title, pod }, observe)));
    else if ([...before.values()].flat().some((pod) => claimsOf(pod).length > 0))
      note('nothing was written to the claims, because this cluster gives no access to its nodes');

    await changed('the upgrade from the version before', { older, newer }, () => lab.upgrade(release, {}));
    await expect(selectorsStay(older, newer)).toHold();
    await expectKept('the upgrade');
    await changed('the way back to the version before', { older: newer, newer: older }, () =>
      lab.takeBack(release),
    );
    await expectKept('the way back');
    observe(`${release.name} was upgraded and taken back with ${markers.length} files in its claims`);

    /** What was written is in the pods that run now. */
    async function expectKept(after: string): Promise<void> {
      if (!nodes) return;
      const now = await podsByWorkload(release);
      const pods = [...now.values()].flat();
      const lost: string[] = [];
      for (const marker of markers) {
        const fate = await fateOf(nodes, marker, pods);
        if (fate === 'kept' || (fate === 'unmounted' && (await isSpare(marker, now)))) continue;
        lost.push(
          `${fateText(marker, fate)} after ${after}${fate === 'unmounted' ? mountedNow(marker, now) : ''}`,
        );
      }
      await expect(nothingWrong(`what was written to the claims is there after ${after}`, lost)).toHold();
    }

    /** The claim of a replica that the other version does not have; it is there for the time when it has. */
    async function isSpare(
      { claim, namespace: of, title }: ClaimMarker,
      now: ReadonlyMap<string, readonly Pod[]>,
    ): Promise<boolean> {
      const [had, has] = [before.get(title)?.length ?? 0, now.get(title)?.length ?? 0];
      if (has === 0 || has >= had) return false;
      return (await kube.get('PersistentVolumeClaim', { name: claim, namespace: of })) !== undefined;
    }
  },
);

/** @throws DoesNotFit when there is none, or it does not run: that is no fault of the subject */
async function versionBefore(lab: Lab): Promise<Release> {
  try {
    return await lab.install({ previous: true });
  } catch (error) {
    if (!(error instanceof CheckFailure) || error instanceof BlockedError) throw error;
    throw new DoesNotFit(`the version before does not run by itself: ${error.message}`, {
      cause: error,
      hint: 'Give a version with --previous that can be installed here.',
    });
  }
}

/** Changes the version. A refusal names the fields that differ, which the API server does not always do. */
async function changed(
  what: string,
  { older, newer }: Record<'older' | 'newer', readonly KubeObject[]>,
  change: () => Promise<void>,
): Promise<void> {
  try {
    await change();
  } catch (error) {
    if (!(error instanceof CheckFailure) || error instanceof BlockedError) throw error;
    const isRefused = REFUSED.includes(error.code);
    const fields = isRefused ? immutableChanges(older, newer) : [];
    // The API server may quote a whole template; its own words are the cause.
    const says = fields.length > 0 ? fields.join('; ') : error.message;
    throw new CheckFailure(error.code, `${what} ${isRefused ? 'is refused' : 'fails'}: ${says}`, {
      cause: error,
      hint: error.hint,
      details: error.details,
    });
  }
}

/** The pods of each workload that runs without an end, by its title. */
async function podsByWorkload(release: Release): Promise<Map<string, readonly Pod[]>> {
  return new Map((await runningWorkloads(release)).map(({ model, pods }) => [model.title, pods]));
}

function claimsOf({ spec }: Pod): string[] {
  return (spec.volumes ?? []).flatMap(({ persistentVolumeClaim: claim }) => claim?.claimName ?? []);
}

/** `; Deployment web now mounts claim other`. */
function mountedNow({ title }: ClaimMarker, now: ReadonlyMap<string, readonly Pod[]>): string {
  const pods = now.get(title);
  if (!pods) return `; ${title} does not run any more`;
  const claims = [...new Set(pods.flatMap(claimsOf))];
  return `; ${title} now mounts ${claims.length === 0 ? 'no claim' : `claim ${claims.join(', ')}`}`;
}
