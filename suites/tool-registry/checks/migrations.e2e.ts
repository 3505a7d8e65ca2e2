/** The init container migrates the schema to its image's revision: before the application starts, once, and without losing data. */
import type { LockWatch } from '../../../fixtures/services/postgres-types.ts';
import { restartsWithBackOff } from '../../../harness/observe/predicates/live/back-off.ts';
import { containerRestarted } from '../../../harness/observe/waits/containers.ts';
import { eventually } from '../../../harness/observe/waits/eventually.ts';
import { jobComplete } from '../../../harness/observe/waits/job.ts';
import { podCreated } from '../../../harness/observe/waits/pod-creation.ts';
import { trafficAfterInit } from '../../../harness/observe/predicates/live/init-containers.ts';
import { podEndedBeforePodStarted } from '../../../harness/observe/predicates/live/order.ts';
import { rolledOut } from '../../../harness/observe/waits/rollout.ts';
import { nothingWrong, type PredicateResult } from '../../../harness/observe/predicates/result.ts';
import { waitFor, WaitTimeout } from '../../../harness/core/deadline.ts';
import { CheckFailure, messageOf } from '../../../harness/core/errors.ts';
import { nameOf } from '../../../harness/kube/manifests/objects.ts';
import type { ManifestPatch } from '../../../harness/kube/manifests/patch.ts';
import { expect } from '../../../harness/run/suite/assertions.ts';
import { containerStatus } from '../../../harness/run/suite/release.ts';
import type { SubjectConfig } from '../../../harness/run/suite/worker-config.ts';
import { registryApi, type RegistryApi } from '../api/api-client.ts';
import { dataKept, readRows } from '../database/data.ts';
import { servedBy } from '../deployment.ts';
import type { RegistryLab, RegistryRelease } from '../environment.ts';
import { requirement } from '../kit.ts';
import { migrationJob } from '../migrations/migration-job.ts';
import { oneAtATime } from '../migrations/migration-lock.ts';
import { containsNoPassword, namesCause, upgradesIn } from '../migrations/migration-log.ts';
import { failedRun, migrationLog, migrationsOf, neverServed } from '../migrations/migration-run.ts';
import {
  renderedRoles,
  replaceServerPods,
  rolesOf,
  serverOf,
  serverPod,
  serverPods,
  serviceOf,
} from '../roles.ts';
import { BROKEN, breakMigrations, holdMigrations } from '../migrations/sabotage.ts';
import {
  headOf,
  readSchema,
  schemaBeforeTraffic,
  schemaIsCurrent,
  watchSchema,
  type SchemaWatch,
} from '../database/schema.ts';
import { images, lingering, replicas } from '../variants.ts';

const BAROMETER = { name: 'kindproof-barometer', description: 'reads the barometric pressure' };
const HYGROMETER = { name: 'kindproof-hygrometer', description: 'reads the relative humidity' };

requirement(
  'R-02',
  'completes its migrations in every pod before the application starts',
  async ({ release }) => {
    const { deployment, migrations } = rolesOf(release);
    if (!migrations.isSeparate)
      throw new CheckFailure(
        'E_NO_INIT_CONTAINER',
        `none of the init containers of ${nameOf(deployment)} migrates: container ${migrations.container.name} does, in its own command`,
      );
    for (const pod of await serverPods(release))
      expect(
        (pod.spec.initContainers ?? []).map(({ name }) => name),
        `init containers of ${pod.metadata.name}`,
      ).toContain(migrationsOf(release));
    await release.settleRecording();
    await expect(serverOf(release)).toRunInitContainersFirst();
  },
);

requirement(
  'R-05',
  "has the schema of its image's newest revision, with all tables and the extension vector",
  async ({ release }) => {
    const head = await headOf(release, await serverPod(release));
    await expect(schemaIsCurrent(await readSchema(release.environment.database), head)).toHold();
  },
);

requirement(
  ['R-05', 'R-07', 'R-32'],
  'migrates an empty database once, however many replicas start, and gets no traffic before that',
  { release: 'none', disruptive: true, timeoutMs: 480_000, typicalMs: 50_000 },
  async ({ lab, observe }) => {
    const namespace = await lab.namespace();
    const { database } = await lab.environment(namespace);
    const hold = await holdMigrations(database);
    const locks = database.watchLocks();
    const release = await lab.install({ namespace, patches: await replicas(lab, 3), rollout: false });
    const schema = watchSchema(release.recording, serviceOf(release).metadata.name, database);
    lab.defer('stop sampling the schema', async () => {
      await schema.stop();
    });
    await othersWait(locks);
    await expect(oneAtATime(locks.samples)).toHold();
    // At least one sample before the migrations run.
    await sampled(schema);
    await hold.letGo();
    const rollout = release.rolledOut();
    // Replicas that also have something to migrate stay paused, to see whether the first one gets traffic on half a schema.
    await Promise.race([trafficSampled(schema, release), rollout]);
    await hold.end();
    await rollout;

    const pods = await serverPods(release);
    await servedBy(release, pods);
    const recording = await release.settleRecording();
    await expect(oneAtATime(await locks.stop())).toHold();
    const names = pods.map((pod) => pod.metadata.name);
    if (rolesOf(release).migrations.isSeparate) {
      await expect(trafficAfterInit(recording, serviceOf(release).metadata.name, names)).toHold();
      await expect(serverOf(release)).toRunInitContainersFirst();
    }
    const head = await headOf(release, await serverPod(release));
    await expect(schemaBeforeTraffic(await schema.stop(), head)).toHold();

    const logs = await Promise.all(pods.map((pod) => migrationLog(release, pod)));
    const upgraded = logs.map((log) => upgradesIn(log).length).filter((count) => count > 0);
    expect(upgraded.length, 'replicas that logged an upgrade').toBe(1);
    observe(`${pods.length} replicas: one made ${upgraded[0] ?? 0} upgrades, the others had nothing to do`);
  },
);

requirement(
  ['R-11', 'R-31'],
  "migrates the previous release's database to the newest revision without losing data, while that release goes on serving",
  { release: 'none', disruptive: true, timeoutMs: 420_000, typicalMs: 40_000 },
  async ({ lab, subject, kube, observe }) => {
    const release = await lab.install({
      patches: [...(await replicas(lab, 1)), await previous(lab, subject)],
    });
    const { database } = release.environment;
    const old = await serverPod(release);
    await registryApi(release, old).register(BAROMETER);
    const rows = await readRows(database);
    const { revision } = await readSchema(database);

    await lab.upgrade(release, {
      patches: [...(await replicas(lab, 1)), ...(await lingering(lab))],
      rollout: false,
    });
    const young = await podCreated(kube, serverOf(release), { others: [old] });
    await servedBy(release, [old, young], { timeoutMs: 150_000 });
    const head = await headOf(release, young);
    expect(revision, 'revision of the previous release').not.toBe(head);
    await expect(schemaIsCurrent(await readSchema(database), head)).toHold();

    await expect(worksOn(registryApi(release, old))).toHold();
    await expect(dataKept(rows, await readRows(database))).toHold();
    for (const pod of [old, young]) {
      const tools = await registryApi(release, pod).listTools();
      expect(tools, `tools that ${pod.metadata.name} lists`).toEqual(
        expect.arrayContaining([BAROMETER.name, HYGROMETER.name]),
      );
    }
    observe(
      `${revision ?? 'no revision'} -> ${head}: ${old.metadata.name} kept serving beside ${young.metadata.name}`,
    );
    await lab.upgrade(release, { patches: await replicas(lab, 1) });
  },
);

requirement(
  'R-11',
  'migrates nothing in a pod that finds the newest revision, and leaves the data unchanged',
  { release: 'none', disruptive: true },
  async ({ lab, observe }) => {
    const release = await lab.install({ patches: await replicas(lab, 1) });
    const { database } = release.environment;
    await registryApi(release).register(BAROMETER);
    const [rows, schema] = [await readRows(database), await readSchema(database)];
    const successor = await replaceServerPods(lab, release);
    const migrations = migrationsOf(release);
    const { state, restartCount } = containerStatus(successor, migrations);
    if (rolesOf(release).migrations.isSeparate)
      expect(state?.terminated?.exitCode, `exit code of ${migrations}`).toBe(0);
    expect(restartCount, `restarts of ${migrations}`).toBe(0);
    const log = await migrationLog(release, successor);
    expect(log.trim(), `log of ${migrations}`).not.toBe('');
    expect(upgradesIn(log), 'upgrades that were made').toEqual([]);
    await expect(dataKept(rows, await readRows(database))).toHold();
    expect(await readSchema(database), 'schema').toEqual(schema);
    observe(`${successor.metadata.name}: no upgrade at revision ${schema.revision ?? ''}`);
  },
);

requirement(
  'R-12',
  'stops an upgrade whose migration fails, retries with growing back-off, and completes it once the migration succeeds',
  { release: 'none', disruptive: true, timeoutMs: 600_000, typicalMs: 120_000 },
  async ({ lab, subject, kube, observe }) => {
    const release = await lab.install({
      patches: [...(await replicas(lab, 1)), await previous(lab, subject)],
    });
    const { database, password } = release.environment;
    const old = await serverPod(release);
    const sabotage = await breakMigrations(database);
    await lab.upgrade(release, { patches: await replicas(lab, 1), rollout: false });
    const young = await podCreated(kube, serverOf(release), { others: [old] });
    const { name } = young.metadata;
    const { log, exitCode } = await failedRun(release, young);
    await expect(namesCause(log, new RegExp(BROKEN), 'the failing migration')).toHold();
    await expect(containsNoPassword(log, password)).toHold();
    await containerRestarted(kube, young, migrationsOf(release), { times: 2, timeoutMs: 180_000 });
    // The kubelet states the second back-off once the third instance has failed.
    const backOff = await eventually(
      () => Promise.resolve(restartsWithBackOff(release.recording, name, migrationsOf(release))),
      { timeoutMs: 180_000 },
    );
    await expect(backOff).toHold();
    await expect(neverServed(release, young)).toHold();
    // A pod that has missed a probe or two comes back; one that was replaced does not.
    await servedBy(release, [old], {
      what: `the ready endpoints of Service ${serviceOf(release).metadata.name} to be only the pod of the previous revision`,
    });
    await registryApi(release).register(BAROMETER);
    observe(`exit code ${exitCode}; ${old.metadata.name} serves meanwhile`);

    await sabotage.undo();
    // After so many failures a wait would give up early, but the cause has just been removed.
    await rolledOut(kube, serverOf(release), { timeoutMs: 300_000, giveUpEarly: false });
    expect((await serverPod(release)).metadata.name, 'the pod that had failed').toBe(name);
    await expect(schemaIsCurrent(await readSchema(database), await headOf(release, young))).toHold();
  },
);

requirement(
  'R-30',
  'can be migrated by a Job before it is deployed, and its pods then have nothing to migrate',
  { release: 'none', disruptive: true },
  async ({ lab, kube }) => {
    // The objects that the Job refers to exist, but no pod runs.
    const release = await lab.install({ patches: await replicas(lab, 0) });
    const { namespace } = release;
    const job = await migrationJob(lab, release);
    await kube.apply(job, { namespace });
    const labelSelector = `job-name=${job.metadata.name}`;
    await jobComplete(kube, { name: job.metadata.name, namespace });
    const { database } = release.environment;
    const after = await readSchema(database);
    const ran = await kube.list('Pod', { namespace, labelSelector });
    expect(
      ran.map(({ status }) => status?.phase),
      `pods of Job ${job.metadata.name}`,
    ).toEqual(['Succeeded']);

    await lab.upgrade(release, { patches: await replicas(lab, 1) });
    const pod = await serverPod(release);
    const recording = await release.settleRecording();
    const order = podEndedBeforePodStarted(recording, ran[0]?.metadata.name ?? '', pod.metadata.name);
    await expect(order).toHold();
    await expect(schemaIsCurrent(after, await headOf(release, pod))).toHold();
    expect(upgradesIn(await migrationLog(release, pod)), 'upgrades by the pod').toEqual([]);
  },
);

/** The image of the previous release, in all containers that run the application. */
async function previous(lab: RegistryLab, subject: SubjectConfig): Promise<ManifestPatch> {
  const image = subject.images.find(({ name }) => name === 'previous');
  if (!image) throw new CheckFailure('E_NO_IMAGE', 'the subject has no image of the previous release');
  return images(await renderedRoles(lab), image.ref);
}

/** The previous release registers, finds and calls tools on the new schema. */
async function worksOn(api: RegistryApi): Promise<PredicateResult> {
  const complaints: string[] = [];
  for (const call of [
    () => api.register(HYGROMETER),
    () => api.findTool({ query: BAROMETER.description }),
    () => api.callTool(HYGROMETER.name, { station: 'north' }),
  ])
    await call().catch((error: unknown) => complaints.push(messageOf(error)));
  return {
    ...nothingWrong('the previous release works on the new schema', complaints),
    observed: [`${api.title}: registered, found and called a tool on the new schema`],
  };
}

/** Waits until a connection waits for the migrations' advisory lock. Returns without one too: the samples are judged afterwards. */
async function othersWait({ samples }: LockWatch): Promise<void> {
  try {
    await waitFor<undefined>({
      what: 'a replica to wait for the lock of the migrations',
      timeoutMs: 150_000,
      look: () => {
        if (samples.some(({ locks }) => locks.some(({ granted }) => !granted)))
          return Promise.resolve({ done: true, value: undefined });
        return Promise.resolve({ done: false, seen: `none, in ${samples.length} samples with a lock` });
      },
    });
  } catch (error) {
    if (!(error instanceof WaitTimeout)) throw error;
  }
}

/** Waits for the first sample of the schema. */
function sampled({ samples }: SchemaWatch): Promise<void> {
  return waitFor<undefined>({
    what: 'a sample of the schema',
    timeoutMs: 60_000,
    look: () =>
      Promise.resolve(
        samples.length > 0 ? { done: true, value: undefined } : { done: false, seen: 'no sample' },
      ),
  });
}

/** Waits until a sample of the schema has a ready endpoint. */
function trafficSampled({ samples }: SchemaWatch, release: RegistryRelease): Promise<void> {
  const serving = waitFor<undefined>({
    what: `Service ${serviceOf(release).metadata.name} to have a ready endpoint`,
    timeoutMs: 180_000,
    look: () => {
      const served = samples.some(({ ready }) => ready.length > 0);
      return Promise.resolve(
        served ? { done: true, value: undefined } : { done: false, seen: 'no ready endpoint' },
      );
    },
  });
  // Not awaited when the rollout fails first.
  serving.catch(() => {});
  return serving;
}
