/** A migration that goes on until somebody has looked at it: its database is not there yet. */
import { waitFor } from '../../harness/core/deadline.ts';
import type { Pod } from '../../harness/kube/api/types.ts';
import type { Lab } from '../../harness/run/suite/lab.ts';
import type { Release } from '../../harness/run/suite/release.ts';
import type { RegistryOptions } from './environment.ts';
import { MIGRATIONS, nextPod } from './migration-run.ts';
import { replicas } from './variants.ts';

/** A release of one pod whose init container runs, and waits. */
export async function waitingMigration(lab: Lab): Promise<{ release: Release; pod: Pod }> {
  const environment: RegistryOptions = { connected: false };
  const release = await lab.install({ patches: replicas(1), environment, rollout: false });
  const { name } = (await nextPod(release)).metadata;
  const pod = await waitFor({
    what: `container ${MIGRATIONS} of ${name} to run`,
    timeoutMs: 120_000,
    look: async () => {
      const now = await release.kube.get('Pod', { name, namespace: release.namespace });
      const state = now?.status?.initContainerStatuses?.find((status) => status.name === MIGRATIONS)?.state;
      return now && state?.running
        ? { done: true, value: now }
        : { done: false, seen: JSON.stringify(state ?? 'no status') };
    },
  });
  return { release, pod };
}
