/** Installing and cleaning up, with every command that the documents offer for it. */
import { podReady } from '../../harness/observe/waits/pod-start.ts';
import { waitFor } from '../../harness/core/deadline.ts';
import { COMPLAINT_SPAN_MS } from '../../harness/observe/diagnose/hopeless.ts';
import { inventory } from '../../harness/kube/api/inventory.ts';
import type { KubeObject, Pod } from '../../harness/kube/api/types.ts';
import { nameOf } from '../../harness/kube/manifests/objects.ts';
import { expect } from '../../harness/run/suite/assertions.ts';
import type { Lab } from '../../harness/run/suite/lab.ts';
import type { Release } from '../../harness/run/suite/release.ts';
import { registryApi } from './api-client.ts';
import { applyInOrder, snapshot, unchanged } from './applied-objects.ts';
import { dataKept, readRows } from './data.ts';
import { registryOf } from './environment.ts';
import { requirement } from './kit.ts';
import { deleteLabelled, EVERYTHING, KINDS_OF_ALL } from './labelled.ts';
import { MIGRATIONS, nextPod } from './migration-run.ts';
import { migrationScript } from './migration-script.ts';
import { CONFIG_MAP, DEPLOYMENT, SECRET, SELECTOR, SERVICE } from './names.ts';
import { replicas } from './variants.ts';

const OWN = { release: 'none', disruptive: true, timeoutMs: 420_000 } as const;

/** A chart is helm's to uninstall; what is looked at here are the commands for manifests. */
const HELM_RECORD = 'Secret sh.helm.release.v1.';

/** The kubelet's words about a ConfigMap, a Secret, or a key of one. */
const MISSING = /not found|couldn't find key/;

/** "Or apply them in order". */
const DOCUMENTED_ORDER = ['ConfigMap', 'Secret', 'Service', 'Deployment'];

requirement(
  ['R-01', 'X-05'],
  'consists of the documented objects, and applied a second time changes none of them',
  OWN,
  async ({ lab, kube }) => {
    const patches = replicas(1);
    const release = await lab.install({ patches });
    const { namespace, objects } = release;
    const scripts = migrationScript(release.rendered('Deployment', DEPLOYMENT)).configMap;
    const before = await snapshot(kube, namespace, objects);
    expect([...before.keys()], 'objects in the cluster').toEqual(
      expect.arrayContaining([
        `ConfigMap ${CONFIG_MAP}`,
        `ConfigMap ${scripts}`,
        `Secret ${SECRET}`,
        `Service ${SERVICE}`,
        `Deployment ${DEPLOYMENT}`,
      ]),
    );
    expect(before.size, 'objects in the cluster of those that are rendered').toBe(objects.length);
    const pods = await podIds(release);
    await lab.upgrade(release, { patches });
    await expect(unchanged(before, await snapshot(kube, namespace, objects))).toHold();
    expect(await podIds(release), 'pods after the second apply').toEqual(pods);
  },
);

requirement(
  'R-22',
  'recovers by itself when its Deployment comes before its Secret, as in the order of the files',
  OWN,
  async ({ lab, kube, observe }) => {
    const release = await lab.install({ patches: replicas(1), apply: false });
    const { namespace, objects } = release;
    const secrets = objects.filter((o) => o.kind === 'Secret');
    await applyInOrder(
      kube,
      namespace,
      objects.filter((o) => !secrets.includes(o)),
    );
    const pod = await nextPod(release);
    observe(await waitsForSecret(release, pod, secrets));
    await applyInOrder(kube, namespace, secrets);
    // The pod, and no other in its place. Its kubelet says for a while that the Secret is missing.
    await podReady(kube, pod.metadata, { giveUpEarly: false });
    await release.rolledOut();
    expect(await podIds(release), 'pods after the Secret was there').toEqual([pod.metadata.uid]);
    const recording = await release.settleRecording();
    expect(recording.restarts(), 'restarts').toEqual([]);
    observe(`${pod.metadata.name} became ready after that, without a restart`);
  },
);

requirement(
  'R-23',
  'comes to the same end when its objects are applied in the documented order',
  OWN,
  async ({ lab, kube, observe }) => {
    const release = await lab.install({ patches: replicas(1), apply: false });
    const { namespace, objects } = release;
    const inOrder = DOCUMENTED_ORDER.flatMap((kind) => objects.filter((o) => o.kind === kind));
    await applyInOrder(kube, namespace, inOrder);
    await release.rolledOut();
    const recording = await release.settleRecording();
    // What a kubelet has not heard of yet it misses twice at once, and finds when it looks again after its pause; and one that is busy may
    // fail to look in time. Neither says anything about the order.
    const waits = recording
      .warningEvents({ reason: 'Failed' })
      .filter(({ message, at, lastAt }) => MISSING.test(message) && lastAt - at >= COMPLAINT_SPAN_MS);
    expect(waits, 'containers that could not be created for want of an object').toEqual([]);
    // The end that the whole directory comes to is the one in which applying it changes nothing.
    const before = await snapshot(kube, namespace, objects);
    const pods = await podIds(release);
    await applyInOrder(kube, namespace, objects);
    await expect(unchanged(before, await snapshot(kube, namespace, objects))).toHold();
    expect(await podIds(release), 'pods after the directory was applied').toEqual(pods);
    observe(`${inOrder.map(nameOf).join(', ')}: rolled out; the whole directory changes nothing of it`);
  },
);

requirement(
  'R-49',
  'is deleted by its files without a trace, and leaves its data alone',
  OWN,
  async ({ lab, kube, observe }) => {
    const { namespace, before } = await preparedNamespace(lab);
    const release = await lab.install({ namespace, patches: replicas(1) });
    const { database } = registryOf(release);
    await registryApi(release).register({ name: 'kindproof-keepsake', description: 'stays in the database' });
    const rows = await readRows(database);
    const revision = await database.alembicVersion();
    for (const { apiVersion, kind, metadata } of release.objects) {
      await kube.delete({ apiVersion, kind }, { name: metadata.name, namespace });
    }
    expect(await left(lab, namespace, before), 'what is left').toEqual([]);
    await expect(dataKept(rows, await readRows(database))).toHold();
    expect(await database.alembicVersion(), 'revision of the database').toBe(revision);
    observe(
      `${release.objects.length} objects deleted, ${rows.size} rows at revision ${revision ?? 'none'} kept`,
    );
  },
);

requirement(
  'R-50',
  'is deleted by its label without a trace, when ConfigMaps and Secrets are named too',
  OWN,
  async ({ lab, kube, observe }) => {
    const { namespace, before } = await preparedNamespace(lab);
    const release = await lab.install({ namespace, patches: replicas(1) });
    const configuration = release.objects
      .filter((o) => o.kind === 'ConfigMap' || o.kind === 'Secret')
      .map(nameOf)
      .toSorted();
    await deleteLabelled(kube, namespace, SELECTOR, KINDS_OF_ALL);
    const kept = await left(lab, namespace, before, configuration);
    expect(kept, `what \`delete all -l ${SELECTOR}\` leaves`).toEqual(configuration);
    observe(`delete all -l ${SELECTOR} leaves ${kept.join(', ')}`);
    await deleteLabelled(kube, namespace, SELECTOR, EVERYTHING);
    expect(await left(lab, namespace, before), 'what is left then').toEqual([]);
    observe(`delete all,configmaps,secrets,networkpolicies,ingresses -l ${SELECTOR} leaves nothing`);
  },
);

async function podIds(release: Release): Promise<(string | undefined)[]> {
  return (await release.pods()).map(({ metadata }) => metadata.uid).toSorted();
}

/** A namespace with the registry's environment and nothing else, and what is in it. */
async function preparedNamespace(lab: Lab): Promise<{ namespace: string; before: string[] }> {
  const namespace = await lab.namespace();
  await lab.environment(namespace);
  return { namespace, before: await inventory(lab.kube, namespace) };
}

/** Waits until nothing has come to the namespace that is not `allowed`; returns what has. */
function left(
  lab: Lab,
  namespace: string,
  before: readonly string[],
  allowed: readonly string[] = [],
): Promise<string[]> {
  return waitFor({
    what: `namespace ${namespace} to have nothing else left`,
    // The last pods may use all of their grace period.
    timeoutMs: 90_000,
    intervalMs: 500,
    look: async () => {
      const come = (await inventory(lab.kube, namespace)).filter(
        (entry) => !before.includes(entry) && !entry.startsWith(HELM_RECORD),
      );
      const more = come.filter((entry) => !allowed.includes(entry));
      return more.length === 0
        ? { done: true, value: come }
        : { done: false, seen: `left: ${more.join(', ')}` };
    },
  });
}

/** Waits until the kubelet says that one of the Secrets is missing; returns its words. */
function waitsForSecret(
  release: Release,
  { metadata }: Pod,
  secrets: readonly KubeObject[],
): Promise<string> {
  const names = secrets.map((secret) => secret.metadata.name);
  return waitFor({
    what: `pod ${metadata.name} to wait for Secret ${names.join(', ')}`,
    timeoutMs: 120_000,
    look: async () => {
      const pod = await release.kube.get('Pod', { name: metadata.name, namespace: release.namespace });
      const status = pod?.status?.initContainerStatuses?.find(({ name }) => name === MIGRATIONS);
      const state = status?.state?.waiting;
      const told = `${state?.reason ?? 'no reason'}: ${state?.message ?? ''}`;
      if (names.some((name) => state?.message?.includes(name))) return { done: true, value: told };
      if (status && (status.state?.running ?? status.state?.terminated ?? status.restartCount > 0)) {
        const seen = status.state?.running ? 'it runs' : 'it has run';
        return { done: false, seen, hopeless: 'it started without its Secret' };
      }
      return { done: false, seen: told };
    },
  });
}
