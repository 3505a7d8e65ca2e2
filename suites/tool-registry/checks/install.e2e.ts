/** Installing and cleaning up, with every command that the documents offer for it. */
import { COMPLAINT_SPAN_MS } from '../../../harness/observe/diagnose/hopeless.ts';
import { containerWaiting } from '../../../harness/observe/waits/containers.ts';
import { namespaceRestored } from '../../../harness/observe/waits/namespace-restored.ts';
import { podCreated } from '../../../harness/observe/waits/pod-creation.ts';
import { podReady } from '../../../harness/observe/waits/pod-start.ts';
import { inventory } from '../../../harness/kube/api/inventory.ts';
import { nameOf } from '../../../harness/kube/manifests/objects.ts';
import { expect } from '../../../harness/run/suite/assertions.ts';
import type { Release } from '../../../harness/run/suite/release.ts';
import { registryApi } from '../api/api-client.ts';
import { dataKept, readRows } from '../database/data.ts';
import type { RegistryLab } from '../environment.ts';
import { requirement } from '../kit.ts';
import { migrationsOf } from '../migrations/migration-run.ts';
import { migrationScript } from '../migrations/migration-script.ts';
import { CONFIG_MAP, DEPLOYMENT, SECRET, SERVICE } from '../names.ts';
import { applyInOrder, snapshot, unchanged } from '../objects/applied-objects.ts';
import { cleanUpLabel, deleteLabelled, EVERYTHING, KINDS_OF_ALL } from '../objects/labelled.ts';
import { rolesOf, serverOf, serverPods } from '../roles.ts';
import { replicas } from '../variants.ts';

const OWN = { release: 'none', disruptive: true, timeoutMs: 420_000 } as const;

/** Helm's own record of a chart: the documents' commands are for manifests. */
const HELM_RECORD = 'Secret sh.helm.release.v1.';

/** The kubelet's message about a missing ConfigMap, Secret or key. */
const MISSING = /not found|couldn't find key/;

/** "Or apply them in order". */
const DOCUMENTED_ORDER = ['ConfigMap', 'Secret', 'Service', 'Deployment'];

requirement(
  ['R-01', 'X-05'],
  'is the same after it was applied again: no object and no pod changes',
  OWN,
  async ({ lab, kube }) => {
    const patches = await replicas(lab, 1);
    const release = await lab.install({ patches });
    const { namespace, objects } = release;
    const before = await snapshot(kube, namespace, objects);
    expect(before.size, 'rendered objects that exist in the cluster').toBe(objects.length);
    const pods = await podIds(release);
    await lab.upgrade(release, { patches });
    await expect(unchanged(before, await snapshot(kube, namespace, objects))).toHold();
    expect(await podIds(release), 'pods after the second apply').toEqual(pods);
  },
);

requirement('R-01', 'consists of the documented objects', { names: true }, async ({ release, kube }) => {
  const { deployment, migrations } = rolesOf(release);
  const scripts = migrationScript(deployment, migrations.container).configMap;
  const found = await snapshot(kube, release.namespace, release.objects);
  expect([...found.keys()], 'objects in the cluster').toEqual(
    expect.arrayContaining([
      `ConfigMap ${CONFIG_MAP}`,
      `ConfigMap ${scripts}`,
      `Secret ${SECRET}`,
      `Service ${SERVICE}`,
      `Deployment ${DEPLOYMENT}`,
    ]),
  );
});

requirement(
  'R-22',
  'recovers without intervention when its Deployment is applied before its Secret, as in the order of the files',
  OWN,
  async ({ lab, kube, observe }) => {
    const release = await lab.install({ patches: await replicas(lab, 1), apply: false });
    const { namespace, objects } = release;
    const secrets = objects.filter((o) => o.kind === 'Secret');
    await applyInOrder(
      kube,
      namespace,
      objects.filter((o) => !secrets.includes(o)),
    );
    const pod = await podCreated(kube, serverOf(release));
    const names = secrets.map(({ metadata }) => metadata.name);
    const what = `pod ${pod.metadata.name} to wait for Secret ${names.join(', ')}`;
    const state = await containerWaiting(
      kube,
      pod,
      migrationsOf(release),
      ({ message }) => names.some((name) => message.includes(name)),
      { what },
    );
    observe(`${state.reason}: ${state.message}`);
    await applyInOrder(kube, namespace, secrets);
    // The same pod, not another one. Its kubelet reports the Secret as missing for a while longer.
    await podReady(kube, pod.metadata, { giveUpEarly: false });
    await release.rolledOut();
    expect(await podIds(release), 'pods after the Secret was applied').toEqual([pod.metadata.uid]);
    const recording = await release.settleRecording();
    expect(recording.restarts(), 'restarts').toEqual([]);
    observe(`${pod.metadata.name} then became ready without a restart`);
  },
);

requirement(
  'R-23',
  'reaches the same state when its objects are applied in the documented order',
  OWN,
  async ({ lab, kube, observe }) => {
    const release = await lab.install({ patches: await replicas(lab, 1), apply: false });
    const { namespace, objects } = release;
    // What the documents do not mention has no documented place.
    const others = objects.filter(({ kind }) => !DOCUMENTED_ORDER.includes(kind));
    const documented = DOCUMENTED_ORDER.flatMap((kind) => objects.filter((o) => o.kind === kind));
    const inOrder = [...others, ...documented];
    await applyInOrder(kube, namespace, inOrder);
    await release.rolledOut();
    const recording = await release.settleRecording();
    // A kubelet that has not heard of an object yet reports it as missing twice at once, and finds it at its next try; a busy one may
    // fail to look in time. Neither has to do with the order.
    const waits = recording
      .warningEvents({ reason: 'Failed' })
      .filter(({ message, at, lastAt }) => MISSING.test(message) && lastAt - at >= COMPLAINT_SPAN_MS);
    expect(waits, 'containers that could not be created because an object was missing').toEqual([]);
    // The state is the same when applying the whole directory changes nothing.
    const before = await snapshot(kube, namespace, objects);
    const pods = await podIds(release);
    await applyInOrder(kube, namespace, objects);
    await expect(unchanged(before, await snapshot(kube, namespace, objects))).toHold();
    expect(await podIds(release), 'pods after the directory was applied').toEqual(pods);
    observe(`${inOrder.map(nameOf).join(', ')}: rolled out; the whole directory changes nothing`);
  },
);

requirement(
  'R-49',
  'is deleted completely by its files, and leaves its data in the database',
  OWN,
  async ({ lab, kube, observe }) => {
    const { namespace, before } = await preparedNamespace(lab);
    const release = await lab.install({ namespace, patches: await replicas(lab, 1) });
    const { database } = release.environment;
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
  'is deleted completely by its label when ConfigMaps and Secrets are named too',
  OWN,
  async ({ lab, kube, observe }) => {
    const { namespace, before } = await preparedNamespace(lab);
    const release = await lab.install({ namespace, patches: await replicas(lab, 1) });
    const configuration = release.objects
      .filter((o) => o.kind === 'ConfigMap' || o.kind === 'Secret')
      .map(nameOf)
      .toSorted();
    const label = cleanUpLabel(release.objects);
    await deleteLabelled(kube, namespace, label, KINDS_OF_ALL);
    const kept = await left(lab, namespace, before, configuration);
    expect(kept, `what \`delete all -l ${label}\` leaves`).toEqual(configuration);
    observe(`delete all -l ${label} leaves ${kept.join(', ')}`);
    await deleteLabelled(kube, namespace, label, EVERYTHING);
    expect(await left(lab, namespace, before), 'what is left then').toEqual([]);
    observe(`delete all,configmaps,secrets,networkpolicies,ingresses -l ${label} leaves nothing`);
  },
);

async function podIds(release: Release): Promise<(string | undefined)[]> {
  return (await serverPods(release)).map(({ metadata }) => metadata.uid).toSorted();
}

/** A namespace with only the registry's environment, and its inventory. */
async function preparedNamespace(lab: RegistryLab): Promise<{ namespace: string; before: string[] }> {
  const namespace = await lab.namespace();
  await lab.environment(namespace);
  return { namespace, before: await inventory(lab.kube, namespace) };
}

/** What stays in the namespace; waits until that is only what is `allowed`. */
async function left(
  { kube }: RegistryLab,
  namespace: string,
  before: readonly string[],
  allowed: readonly string[] = [],
): Promise<string[]> {
  const isHelms = (entry: string): boolean => entry.startsWith(HELM_RECORD);
  const stayed = await namespaceRestored(kube, namespace, before, {
    what: `namespace ${namespace} to have nothing else left`,
    mayStay: (entry) => isHelms(entry) || allowed.includes(entry),
  });
  return stayed.filter((entry) => !isHelms(entry));
}
