/** The life of a release: scaled, its data kept, uninstalled completely, installed again. */
import { namespaceRestored } from '../../../harness/observe/waits/namespace-restored.ts';
import { inventory } from '../../../harness/kube/api/inventory.ts';
import { modelOf } from '../../../harness/kube/manifests/model/subject-model.ts';
import { expect } from '../../../harness/run/suite/assertions.ts';
import { requirement } from '../kit.ts';
import { valueBehind } from '../../../harness/run/suite/value-behind.ts';
import type { Lab } from '../../../harness/run/suite/lab.ts';
import { withReplicas } from '../means.ts';
import { claimOf, needOwnReplicas, renderedServer, serverIn, serverOf } from '../server.ts';
import { serverPod, serverPods } from '../server-pods.ts';

requirement(
  'T-46',
  'creates exactly the number of replicas in the values: 1, then 3',
  { release: 'none', disruptive: true },
  async ({ lab }) => {
    const { workload, ...server } = await renderedServer(lab);
    needOwnReplicas(workload);
    const value = await valueBehind(lab, {
      documented: 'replicaCount',
      sets: `the number of replicas of ${workload.title}`,
      read: (rendered) => serverIn(rendered).workload.replicas?.least,
      other: serverIn(server.rendered).workload.replicas?.least === 1 ? '3' : '1',
    });
    const release = await lab.install({ set: [`${value}=1`] });
    await expect(serverOf(release)).toHaveAvailableReplicas(1);
    await lab.upgrade(release, { set: [`${value}=3`] });
    await expect(serverOf(release)).toHaveAvailableReplicas(3);
  },
);

requirement(
  'T-10',
  'keeps its data when a pod is replaced',
  { release: 'none', disruptive: true },
  async ({ lab, kube, observe }) => {
    const release = await lab.install({ patches: withReplicas(await renderedServer(lab), 1) });
    const { container } = serverIn(release);
    const { name: claim, namespace, folder, object } = claimOf(release);
    const pod = await serverPod(release);
    const marker = `${folder}/kindproof-marker`;
    await release.output(pod, ['sh', '-c', `echo kept > ${marker}`], container.name);
    await lab.replacePods(release, await serverPods(release));
    const successor = await serverPod(release);
    expect(await release.output(successor, ['cat', marker], container.name)).toBe('kept\n');
    const live = await kube.get('PersistentVolumeClaim', { name: claim, namespace });
    const { phase, capacity } = (live?.['status'] ?? {}) as {
      phase?: string;
      capacity?: { storage?: string };
    };
    expect(phase, `claim ${claim}`).toBe('Bound');
    // A claim that exists already has the size that its owner gave it.
    const { resources } = (object?.['spec'] ?? {}) as { resources?: { requests?: { storage?: string } } };
    const wanted = resources?.requests?.storage ?? capacity?.storage;
    expect(capacity?.storage, `capacity of claim ${claim}`).toBe(wanted);
    observe(
      `${successor.metadata.name} reads what ${pod.metadata.name} wrote; ${claim} is Bound, ${wanted ?? ''}`,
    );
  },
);

requirement(
  'T-65',
  'uninstalls completely except for retained claims, and installs again under the same name',
  { release: 'none', disruptive: true, timeoutMs: 420_000, typicalMs: 70_000 },
  async ({ lab, kube, observe }) => {
    const home = await lab.namespace();
    const patches = withReplicas(await renderedServer(lab), 1);
    const namespaces = await namespacesOf(lab, home);
    const before = new Map<string, string[]>();
    for (const namespace of namespaces) before.set(namespace, await inventory(kube, namespace));
    const release = await lab.install({ namespace: home, patches });
    const graces = modelOf(release.objects, release).workloads.map(
      ({ template: { spec } }) => spec.terminationGracePeriodSeconds ?? 30,
    );
    await lab.helm.uninstall({ releaseName: release.name, namespace: home });
    const left: string[] = [];
    for (const namespace of namespaces) {
      const stayed = await namespaceRestored(kube, namespace, before.get(namespace) ?? [], {
        timeoutMs: (Math.max(...graces) + 75) * 1000,
        // A retained claim stays. One that is being deleted goes after its last pod, and its name is taken until then.
        mayStay: async (entry) => {
          const [kind, name = ''] = entry.split(' ');
          if (kind !== 'PersistentVolumeClaim') return false;
          const claim = await kube.get(kind, { name, namespace });
          return claim?.metadata.deletionTimestamp === undefined;
        },
      });
      left.push(...stayed);
    }
    const again = await lab.install({ namespace: home, patches });
    await expect(serverOf(again)).toHaveAvailableReplicas(serverIn(again).workload.replicas?.least ?? 1);
    observe(left.length === 0 ? 'nothing was left' : `left: ${left.join(', ')}`);
  },
);

/** The namespace of the release, and those that its objects name. */
async function namespacesOf(lab: Lab, home: string): Promise<string[]> {
  const { objects } = await lab.render({ namespace: home });
  return [...new Set([home, ...objects.flatMap(({ metadata }) => metadata.namespace ?? [])])];
}
