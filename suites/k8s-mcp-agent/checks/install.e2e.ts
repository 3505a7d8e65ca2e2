/** The DaemonSet is installed completely, updated node by node, and uninstalled without leftovers. */
import { rolloutOfDaemonSet } from '../../../harness/observe/predicates/live/daemon-set.ts';
import { daemonSetReady } from '../../../harness/observe/waits/daemon-set.ts';
import { namespaceRestored } from '../../../harness/observe/waits/namespace-restored.ts';
import { inventory } from '../../../harness/kube/api/inventory.ts';
import { deleteNamespace } from '../../../harness/kube/api/namespace-end.ts';
import { busyboxImage } from '../../../fixtures/images/build.ts';
import { ofKind } from '../../../harness/kube/manifests/objects.ts';
import { expect } from '../../../harness/run/suite/assertions.ts';
import { refuseClash } from '../../../harness/run/suite/cluster-scoped-clash.ts';
import { nothingWrong } from '../../../harness/observe/predicates/result.ts';
import {
  DOCUMENTED_NAMESPACE,
  documentedNamespaceGone,
  reserveDocumentedNamespace,
} from '../readme/documented-namespace.ts';
import { agentIn, agentOf, agentPods, DOCUMENTED } from '../agent.ts';
import { requirement } from '../kit.ts';

/** Identifies what belongs to the agent. */
const NAME_LABEL = 'app.kubernetes.io/name';

requirement(
  'G-04',
  'is a DaemonSet with a ready pod on every node that it targets',
  { first: true },
  async ({ release, observe }) => {
    const status = (await agentOf(release).read()).status as Record<string, number>;
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
  'G-04',
  'calls its DaemonSet k8s-mcp-agent',
  { release: 'none', static: true, names: true },
  async ({ lab }) => {
    const { objects } = await lab.subject();
    const names = ofKind(objects, 'DaemonSet').map(({ metadata }) => metadata.name);
    expect(names, 'rendered DaemonSets').toContain(DOCUMENTED.daemonSet);
  },
);

requirement(
  'G-01',
  `installs into ${DOCUMENTED_NAMESPACE}, created by helm, or by the chart with labels that identify it`,
  // Another check may have the namespace first.
  { release: 'none', disruptive: true, timeoutMs: 480_000 },
  async ({ lab, kube, observe }) => {
    await reserveDocumentedNamespace(lab, kube);
    for (const given of [DOCUMENTED_NAMESPACE, 'default']) {
      const source = lab.source({ namespace: given });
      const { objects } = await lab.render({ namespace: given });
      // The shared release may have them.
      refuseClash(objects, { namespace: given, shared: objects });
      const { object, namespace: home, workload } = agentIn({ objects, namespace: given });
      expect(home, `namespace of ${workload.title} by helm install --namespace ${given}`).toBe(
        DOCUMENTED_NAMESPACE,
      );
      const ref = { releaseName: source.releaseName, namespace: given };
      lab.defer(`delete namespace ${DOCUMENTED_NAMESPACE}`, () =>
        deleteNamespace(kube.teardown, DOCUMENTED_NAMESPACE),
      );
      lab.defer(`uninstall ${ref.releaseName} from ${given}`, () =>
        lab.helm.uninstall({ ...ref, ignoreNotFound: true, wait: true }),
      );
      await lab.helm.install(source, { createNamespace: given === DOCUMENTED_NAMESPACE });
      const ready = await daemonSetReady(kube, { name: object.metadata.name, namespace: home });
      const namespace = await kube.get('Namespace', { name: DOCUMENTED_NAMESPACE });
      if (given === 'default') {
        const labels = namespace?.metadata.labels ?? {};
        const own = workload.template.metadata.labels?.[NAME_LABEL];
        expect(
          labels[NAME_LABEL] ?? '',
          `label ${NAME_LABEL} of namespace ${DOCUMENTED_NAMESPACE}, created by the chart`,
        ).toBe(own ?? DOCUMENTED.daemonSet);
      }
      expect(namespace?.metadata.labels).toHaveProperty(
        ['kubernetes.io/metadata.name'],
        DOCUMENTED_NAMESPACE,
      );
      observe(`helm install --namespace ${given}: ${ready} pods ready in ${DOCUMENTED_NAMESPACE}`);
      await lab.helm.uninstall({ ...ref, wait: true });
      await kube.delete('Namespace', { name: DOCUMENTED_NAMESPACE });
      await documentedNamespaceGone(kube);
    }
  },
);

requirement(
  'G-42',
  'is updated one node at a time, and its old pods end without being killed',
  { release: 'none', disruptive: true },
  async ({ lab, observe }) => {
    const release = await lab.install();
    const before = await agentPods(release);
    const { object, container } = agentIn(release);
    // Another image that idles in the same way; its function is not under test here.
    await lab.upgrade(release, { patches: [{ images: { [container.name]: busyboxImage.ref } }] });
    const recording = await release.settleRecording();
    const result = rolloutOfDaemonSet(recording, {
      daemonSet: object.metadata.name,
      replaced: before.map((p) => p.metadata.name),
      container: container.name,
      maxUnavailable: 1,
    });
    await expect(result).toHold();
    observe(result.actual);
  },
);

requirement(
  ['G-44', 'G-23'],
  'uninstalls completely except for the RuntimeClass, and installs again',
  { release: 'none', disruptive: true },
  async ({ lab, kube, observe }) => {
    const namespace = await lab.namespace();
    const before = await inventory(kube, namespace);
    const release = await lab.install({ namespace });
    // The pods' own classes: other checks create and delete classes meanwhile.
    const named = (await agentPods(release)).flatMap((p) => p.spec['runtimeClassName'] ?? []);
    const classes = [...new Set(named)];
    expect(classes.length, 'RuntimeClasses that the pods name').toBeGreaterThan(0);
    await lab.helm.uninstall({ releaseName: release.name, namespace });
    await namespaceRestored(kube, namespace, before);
    const still = (await kube.list('RuntimeClass')).map((o) => o.metadata.name);
    await expect(
      nothingWrong(
        'the RuntimeClass survives the uninstall',
        classes.filter((name) => !still.includes(name)).map((name) => `RuntimeClass ${name} is gone`),
      ),
    ).toHold();
    const again = await lab.install({ namespace });
    const status = (await agentOf(again).read()).status ?? {};
    expect(status['numberReady'], 'pods ready after the second install').toBe(
      status['desiredNumberScheduled'],
    );
    observe(`nothing was left; RuntimeClass ${classes.join(', ')} stayed; installed again`);
  },
);
