/** The life of a release: scaled, its data kept, uninstalled completely, installed again. */
import { namespaceRestored } from '../../../harness/observe/waits/namespace-restored.ts';
import { inventory } from '../../../harness/kube/api/inventory.ts';
import { podSpecOf } from '../../../harness/kube/manifests/objects.ts';
import { expect } from '../../../harness/run/suite/assertions.ts';
import { requirement } from '../kit.ts';
import { serverPod } from '../server-pods.ts';

requirement(
  'T-46',
  'creates exactly the number of replicas in the values: 1, then 3',
  { release: 'none', disruptive: true },
  async ({ lab }) => {
    const release = await lab.install({ set: ['replicaCount=1'] });
    await expect(release.deployment('toolman')).toHaveAvailableReplicas(1);
    await lab.upgrade(release, { set: ['replicaCount=3'] });
    await expect(release.deployment('toolman')).toHaveAvailableReplicas(3);
  },
);

requirement(
  'T-10',
  'keeps its data when a pod is replaced',
  { release: 'none', disruptive: true },
  async ({ lab, kube, observe }) => {
    const release = await lab.install({ set: ['replicaCount=1'] });
    const { namespace } = release;
    const claim = release.rendered('PersistentVolumeClaim');
    const wanted = (claim['spec'] as { resources?: { requests?: { storage?: string } } }).resources?.requests
      ?.storage;
    const pod = await serverPod(release);
    await release.output(pod, ['sh', '-c', 'echo kept > /data/kindproof-marker'], 'toolman');
    const successor = await lab.replacePods(release);
    expect(await release.output(successor, ['cat', '/data/kindproof-marker'], 'toolman')).toBe('kept\n');
    const live = await kube.get('PersistentVolumeClaim', { name: claim.metadata.name, namespace });
    const { phase, capacity } = (live?.['status'] ?? {}) as {
      phase?: string;
      capacity?: { storage?: string };
    };
    expect(phase, `claim ${claim.metadata.name}`).toBe('Bound');
    expect(capacity?.storage, `capacity of claim ${claim.metadata.name}`).toBe(wanted);
    observe(
      `${successor.metadata.name} reads what ${pod.metadata.name} wrote; ${claim.metadata.name} is Bound, ${wanted ?? ''}`,
    );
  },
);

requirement(
  'T-65',
  'uninstalls completely except for retained claims, and installs again under the same name',
  { release: 'none', disruptive: true, timeoutMs: 420_000 },
  async ({ lab, kube, observe }) => {
    const namespace = await lab.namespace();
    const before = await inventory(kube, namespace);
    const release = await lab.install({ namespace, set: ['replicaCount=1'] });
    const spec = podSpecOf(release.rendered('Deployment', 'toolman'));
    const graceSeconds = spec?.terminationGracePeriodSeconds ?? 30;
    await lab.helm.uninstall({ releaseName: release.name, namespace });
    const left = await namespaceRestored(kube, namespace, before, {
      timeoutMs: (graceSeconds + 75) * 1000,
      // A retained claim stays. One that is being deleted goes after its last pod, and its name is taken until then.
      mayStay: async (entry) => {
        const [kind, name = ''] = entry.split(' ');
        if (kind !== 'PersistentVolumeClaim') return false;
        const claim = await kube.get(kind, { name, namespace });
        return claim?.metadata.deletionTimestamp === undefined;
      },
    });
    const again = await lab.install({ namespace, set: ['replicaCount=1'] });
    await expect(again.deployment('toolman')).toHaveAvailableReplicas(1);
    observe(left.length === 0 ? 'nothing was left' : `left: ${left.join(', ')}`);
  },
);
