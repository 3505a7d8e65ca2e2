/** Life of a release: scaled, its data kept, uninstalled without a trace, installed again. */
import { waitFor } from '../../harness/core/deadline.ts';
import { CheckFailure } from '../../harness/core/errors.ts';
import { inventory } from '../../harness/kube/api/inventory.ts';
import { podSpecOf } from '../../harness/kube/manifests/objects.ts';
import { expect } from '../../harness/run/suite/assertions.ts';
import { requirement } from './kit.ts';

requirement(
  'T-46',
  'creates exactly as many replicas as the values say: 1, then 3',
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
    const [pod] = await release.pods();
    if (!pod) throw new CheckFailure('E_SELECTED_NOTHING', 'the release has no pod');
    await release.output(pod, ['sh', '-c', 'echo kept > /data/kindproof-marker'], 'toolman');
    await kube.delete('Pod', { name: pod.metadata.name, namespace });
    const successor = await waitFor({
      what: `another pod in the place of ${pod.metadata.name}`,
      timeoutMs: 90_000,
      look: async () => {
        const pods = await release.pods().catch(() => []);
        const other = pods.find((p) => p.metadata.uid !== pod.metadata.uid && p.status?.phase === 'Running');
        return other
          ? { done: true, value: other }
          : { done: false, seen: pods.map((p) => p.metadata.name).join(', ') };
      },
    });
    await release.rolledOut();
    expect(await release.output(successor, ['cat', '/data/kindproof-marker'], 'toolman')).toBe('kept\n');
    const live = await kube.get('PersistentVolumeClaim', { name: claim.metadata.name, namespace });
    const { phase, capacity } = (live?.['status'] ?? {}) as {
      phase?: string;
      capacity?: { storage?: string };
    };
    expect(phase, `claim ${claim.metadata.name}`).toBe('Bound');
    expect(capacity?.storage, `capacity of claim ${claim.metadata.name}`).toBe(wanted);
    observe(
      `${successor.metadata.name} reads what ${pod.metadata.name} wrote; ${claim.metadata.name} Bound, ${wanted ?? ''}`,
    );
  },
);

requirement(
  'T-65',
  'uninstalls without a trace but retained claims, and installs again under the same name',
  { release: 'none', disruptive: true, timeoutMs: 420_000 },
  async ({ lab, kube, observe }) => {
    const namespace = await lab.namespace();
    const before = await inventory(kube, namespace);
    const release = await lab.install({ namespace, set: ['replicaCount=1'] });
    const spec = podSpecOf(release.rendered('Deployment', 'toolman'));
    const graceSeconds = spec?.terminationGracePeriodSeconds ?? 30;
    await lab.helm.uninstall({ releaseName: release.name, namespace });
    const left = await waitFor({
      what: `namespace ${namespace} to be as it was before the install`,
      timeoutMs: (graceSeconds + 75) * 1000,
      // A look asks for every kind that the cluster has.
      intervalMs: 1000,
      look: async () => {
        const rest = (await inventory(kube, namespace)).filter((entry) => !before.includes(entry));
        // A retained claim stays as it is. One that is being deleted goes after its last pod, and its name is taken until then.
        const claims = await kube.list('PersistentVolumeClaim', { namespace });
        const leaving = claims.filter(({ metadata }) => metadata.deletionTimestamp !== undefined);
        const unexpected = [
          ...rest.filter((entry) => !entry.startsWith('PersistentVolumeClaim ')),
          ...leaving.map(({ metadata }) => `PersistentVolumeClaim ${metadata.name}, which is being deleted`),
        ];
        return unexpected.length === 0
          ? { done: true, value: rest }
          : { done: false, seen: `left: ${unexpected.join(', ')}` };
      },
    });
    expect(
      left.every((entry) => entry.startsWith('PersistentVolumeClaim ')),
      left.join(', '),
    ).toBe(true);
    const again = await lab.install({ namespace, set: ['replicaCount=1'] });
    await expect(again.deployment('toolman')).toHaveAvailableReplicas(1);
    observe(left.length === 0 ? 'nothing was left' : `left: ${left.join(', ')}`);
  },
);
