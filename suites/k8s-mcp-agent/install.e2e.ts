/** The DaemonSet is installed and complete, is updated node by node, and leaves nothing when it goes. */
import { rolloutOfDaemonSet } from '../../harness/observe/predicates/live/daemon-set.ts';
import { waitFor } from '../../harness/core/deadline.ts';
import { inventory } from '../../harness/kube/api/inventory.ts';
import { busyboxImage } from '../../fixtures/images/build.ts';
import { expect } from '../../harness/run/suite/assertions.ts';
import type { Lab } from '../../harness/run/suite/lab.ts';
import { nothingWrong } from '../../harness/observe/predicates/result.ts';
import { DOCUMENTED_NAMESPACE as DOCUMENTED, documentedNamespaceGone } from './documented-namespace.ts';
import { requirement } from './kit.ts';

requirement(
  'G-04',
  'is a DaemonSet k8s-mcp-agent with a ready pod on every node that it is meant for',
  { first: true },
  async ({ release, observe }) => {
    const status = (await release.daemonSet('k8s-mcp-agent').read()).status as Record<string, number>;
    const count = (field: string): number => status[field] ?? 0;
    const desired = count('desiredNumberScheduled');
    expect(desired, 'desiredNumberScheduled').toBeGreaterThan(0);
    for (const field of [
      'currentNumberScheduled',
      'updatedNumberScheduled',
      'numberReady',
      'numberAvailable',
    ]) {
      expect(count(field), field).toBe(desired);
    }
    expect(count('numberMisscheduled'), 'numberMisscheduled').toBe(0);
    observe(`${desired} of ${desired} ready, available and up to date, none misscheduled`);
  },
);

requirement(
  'G-01',
  `lives in ${DOCUMENTED}: made by helm, or by the chart with labels that identify it`,
  // The name is fixed, so nothing else may use it meanwhile.
  { release: 'none', exclusive: true, disruptive: true },
  async ({ lab, kube, observe }) => {
    await documentedNamespaceGone(kube);
    for (const told of [DOCUMENTED, 'default']) {
      const source = lab.source({ namespace: told });
      const ref = { releaseName: source.releaseName, namespace: told };
      lab.defer(`delete namespace ${DOCUMENTED}`, () => kube.delete('Namespace', { name: DOCUMENTED }));
      lab.defer(`uninstall ${ref.releaseName} from ${told}`, () =>
        lab.helm.uninstall({ ...ref, ignoreNotFound: true, wait: true }),
      );
      await lab.helm.install(source, { createNamespace: told === DOCUMENTED });
      const ready = await daemonSetReady(lab, DOCUMENTED);
      const namespace = await kube.get('Namespace', { name: DOCUMENTED });
      if (told === 'default') {
        const labels = namespace?.metadata.labels ?? {};
        expect(labels, `labels of namespace ${DOCUMENTED}, made by the chart`).toMatchObject({
          'app.kubernetes.io/name': 'k8s-mcp-agent',
        });
      }
      expect(namespace?.metadata.labels).toHaveProperty(['kubernetes.io/metadata.name'], DOCUMENTED);
      observe(`helm told ${told}: ${ready} pods ready in ${DOCUMENTED}`);
      await lab.helm.uninstall({ ...ref, wait: true });
      await kube.delete('Namespace', { name: DOCUMENTED });
      await documentedNamespaceGone(kube);
    }
  },
);

/** How many pods are ready once all are. */
function daemonSetReady(lab: Lab, namespace: string): Promise<number> {
  return waitFor({
    what: `DaemonSet k8s-mcp-agent in ${namespace} to be ready`,
    timeoutMs: 120_000,
    look: async () => {
      const found = await lab.kube.get('DaemonSet', { name: 'k8s-mcp-agent', namespace });
      // Nobody else makes it later.
      if (!found) return { done: false, seen: 'it does not exist', hopeless: 'helm has ended' };
      const { desiredNumberScheduled: desired = 0, numberReady: ready = 0 } = (found.status ?? {}) as Record<
        string,
        number
      >;
      if (desired > 0 && ready === desired) return { done: true, value: ready };
      return { done: false, seen: `${ready} of ${desired} ready` };
    },
  });
}

requirement(
  'G-42',
  'is updated one node at a time, and its old pods end by themselves',
  { release: 'none', disruptive: true },
  async ({ lab, observe }) => {
    const release = await lab.install();
    const before = await release.pods();
    // Another image that idles in the same way; what the new one can do is not asked here.
    await lab.upgrade(release, { patches: [{ images: { agent: busyboxImage.ref } }] });
    const recording = await release.settleRecording();
    const verdict = rolloutOfDaemonSet(recording, {
      daemonSet: 'k8s-mcp-agent',
      replaced: before.map((p) => p.metadata.name),
      container: 'agent',
      maxUnavailable: 1,
    });
    await expect(verdict).toHold();
    observe(verdict.actual);
  },
);

requirement(
  ['G-44', 'G-23'],
  'is uninstalled without a trace but the RuntimeClass, and installs again',
  { release: 'none', disruptive: true },
  async ({ lab, kube, observe }) => {
    const namespace = await lab.namespace();
    const before = await inventory(kube, namespace);
    const release = await lab.install({ namespace });
    // Its own: other checks make classes and take them away meanwhile.
    const named = (await release.pods()).flatMap((p) => p.spec['runtimeClassName'] ?? []);
    const classes = [...new Set(named)];
    expect(classes.length, 'RuntimeClasses that the pods name').toBeGreaterThan(0);
    await lab.helm.uninstall({ releaseName: release.name, namespace });
    await waitFor({
      what: `namespace ${namespace} to be as it was before the install`,
      timeoutMs: 90_000,
      look: async () => {
        const left = (await inventory(kube, namespace)).filter((entry) => !before.includes(entry));
        return left.length === 0
          ? { done: true, value: undefined }
          : { done: false, seen: `left: ${left.join(', ')}` };
      },
    });
    const still = (await kube.list('RuntimeClass')).map((o) => o.metadata.name);
    await expect(
      nothingWrong(
        'the RuntimeClass survives the uninstall',
        classes.filter((name) => !still.includes(name)).map((name) => `RuntimeClass ${name} is gone`),
      ),
    ).toHold();
    const again = await lab.install({ namespace });
    const status = (await again.daemonSet('k8s-mcp-agent').read()).status ?? {};
    expect(status['numberReady'], 'pods ready after the second install').toBe(
      status['desiredNumberScheduled'],
    );
    observe(`nothing was left; RuntimeClass ${classes.join(', ')} stayed; installed again`);
  },
);
