/** The end of a run on a cluster that outlives it: removes what the run created, and compares the cluster with what it was before. */
import type { Remaining } from '../../clusters/cleanup/run-objects.ts';
import { appeared, removeRunObjects } from '../../clusters/cleanup/run-objects.ts';
import { systemClock } from '../../harness/core/deadline.ts';
import { createKubeClient } from '../../harness/kube/api/http-client.ts';
import { clusterInventory, type ClusterInventory } from '../../harness/kube/api/inventory.ts';
import type { Step } from '../../harness/run/runner/step.ts';
import { fullNameOf } from '../../harness/kube/manifests/objects.ts';

interface Cleaning {
  /** Has one context. */
  kubeconfig: string;
  runId: string;
  /** Taken before the checks. */
  before: ClusterInventory;
  /** The releases of the run stay (--keep). */
  keep?: boolean;
  /** Wait until everything is gone. Otherwise namespaces are still terminating. */
  wait?: boolean;
}

/** Returns what should have been removed and is still there. What else has appeared is a warning: it may be somebody else's. */
export async function cleanLastingCluster(cleaning: Cleaning, step: Step): Promise<string[]> {
  const { kubeconfig, runId, before, keep = false, wait = false } = cleaning;
  const kube = await createKubeClient({ kubeconfig, log: step.log });
  try {
    const options = { run: runId, ...(wait && { wait: { clock: systemClock } }) };
    const { left } = keep ? { left: [] } : await removeRunObjects(kube, options);
    const unknown = appeared(before, await clusterInventory(kube));
    if (unknown.length > 0) {
      step.warn(
        `new on the cluster since the run started, and not removed: ${shortened(unknown)}`,
        'If the chart under test made them, remove them: later runs could depend on them.',
      );
    }
    return left.map(textOf);
  } finally {
    await kube.close();
  }
}

/** Enough to see whose they are; on a busy cluster there may be many. */
const SHOWN = 10;

function shortened(names: readonly string[]): string {
  const more = names.length > SHOWN ? ` and ${names.length - SHOWN} more` : '';
  return `${names.slice(0, SHOWN).join(', ')}${more}`;
}

function textOf({ object, why }: Remaining): string {
  return `${fullNameOf(object)}: ${why}`;
}
