/** The init container brings the schema to the revision of its image: before anything else, once, keeping the data. */
import type { LockWatch } from '../../fixtures/services/postgres-types.ts';
import {
  containerRuns,
  neverStarted,
  restartsWithBackOff,
} from '../../harness/observe/predicates/live/back-off.ts';
import { trafficAfterInit } from '../../harness/observe/predicates/live/order.ts';
import { waitForRollout } from '../../harness/observe/waits/rollout.ts';
import { nothingWrong, type PredicateResult } from '../../harness/observe/predicates/result.ts';
import { waitFor, WaitTimeout } from '../../harness/core/deadline.ts';
import { CheckFailure, messageOf } from '../../harness/core/errors.ts';
import { hasCondition } from '../../harness/kube/api/conditions.ts';
import type { Pod } from '../../harness/kube/api/types.ts';
import type { ManifestPatch } from '../../harness/kube/manifests/patch.ts';
import { expect } from '../../harness/run/suite/assertions.ts';
import { containerStatus, type Release } from '../../harness/run/suite/release.ts';
import type { SubjectConfig } from '../../harness/run/suite/worker-config.ts';
import { registryApi, type RegistryApi } from './api-client.ts';
import { untilBehindService } from './behind-service.ts';
import { dataKept, readRows } from './data.ts';
import { registryOf } from './environment.ts';
import { requirement } from './kit.ts';
import { migrationJob } from './migration-job.ts';
import { oneAtATime } from './migration-lock.ts';
import { namesCause, tellsNoPassword, upgradesIn } from './migration-log.ts';
import { failedRun, migrationLog, MIGRATIONS, nextPod } from './migration-run.ts';
import { DEPLOYMENT, SERVICE } from './names.ts';
import { BROKEN, breakMigrations, holdMigrations } from './sabotage.ts';
import {
  headOf,
  readSchema,
  schemaBeforeTraffic,
  schemaIsCurrent,
  watchSchema,
  type SchemaWatch,
} from './schema.ts';
import { replicas } from './variants.ts';

const BAROMETER = { name: 'kindproof-barometer', description: 'reads the barometric pressure' };
const HYGROMETER = { name: 'kindproof-hygrometer', description: 'reads the relative humidity' };

requirement(
  'R-02',
  'runs its migrations to the end in every pod before the application starts',
  async ({ release }) => {
    for (const pod of await release.pods())
      expect(
        (pod.spec.initContainers ?? []).map(({ name }) => name),
        `init containers of ${pod.metadata.name}`,
      ).toContain(MIGRATIONS);
    await release.settleRecording();
    await expect(release.deployment(DEPLOYMENT)).toRunInitContainersFirst();
  },
);

requirement(
  'R-05',
  "has the schema of its image's newest revision, with all tables and the extension vector",
  async ({ release }) => {
    const head = await headOf(release, await onePod(release));
    await expect(schemaIsCurrent(await readSchema(registryOf(release).database), head)).toHold();
  },
);

requirement(
  ['R-05', 'R-07', 'R-32'],
  'migrates an empty database once, however many replicas start, and nobody gets traffic before it is done',
  { release: 'none', disruptive: true, timeoutMs: 480_000 },
  async ({ lab, observe }) => {
    const namespace = await lab.namespace();
    const { database } = registryOf({ environment: await lab.environment(namespace) });
    const hold = await holdMigrations(database);
    const locks = database.watchLocks();
    const release = await lab.install({ namespace, patches: replicas(3), rollout: false });
    const schema = watchSchema(release.recording, SERVICE, database);
    lab.defer('stop looking at the schema', async () => {
      await schema.stop();
    });
    await othersWait(locks);
    await expect(oneAtATime(locks.samples)).toHold();
    // Or it would be seen only when it is complete.
    await lookedAt(schema);
    await hold.letGo();
    const rollout = release.rolledOut();
    // Who has changes to make after another is held up, until it can be seen whether that one gets traffic on half a schema.
    await Promise.race([someoneServes(schema), rollout]);
    await hold.end();
    await rollout;

    const pods = await release.pods();
    await untilBehindService(release, pods);
    const recording = await release.settleRecording();
    await expect(oneAtATime(await locks.stop())).toHold();
    const names = pods.map((pod) => pod.metadata.name);
    await expect(trafficAfterInit(recording, SERVICE, names)).toHold();
    await expect(release.deployment(DEPLOYMENT)).toRunInitContainersFirst();
    const head = await headOf(release, await onePod(release));
    await expect(schemaBeforeTraffic(await schema.stop(), head)).toHold();

    const logs = await Promise.all(pods.map((pod) => migrationLog(release, pod)));
    const upgraded = logs.map((log) => upgradesIn(log).length).filter((count) => count > 0);
    expect(upgraded.length, 'replicas whose log tells of an upgrade').toBe(1);
    observe(`${pods.length} replicas: one made ${upgraded[0] ?? 0} upgrades, the others found nothing to do`);
  },
);

requirement(
  ['R-11', 'R-31'],
  'brings the database of the previous release to the newest revision with its data, while that release works on beside it',
  { release: 'none', disruptive: true, timeoutMs: 420_000 },
  async ({ lab, subject, observe }) => {
    const release = await lab.install({ patches: [...replicas(1), ...previous(subject)] });
    const { database } = registryOf(release);
    const old = await onePod(release);
    await registryApi(release, old).register(BAROMETER);
    const rows = await readRows(database);
    const { revision } = await readSchema(database);

    await lab.upgrade(release, { patches: [...replicas(1), ...lingering], rollout: false });
    const young = await nextPod(release, [old]);
    await untilBehindService(release, [old, young], { timeoutMs: 150_000 });
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
      `${revision ?? 'no revision'} -> ${head}: ${old.metadata.name} went on serving beside ${young.metadata.name}`,
    );
    await lab.upgrade(release, { patches: replicas(1) });
  },
);

requirement(
  'R-11',
  'has nothing to do for a pod that finds the newest revision, and leaves the data as they are',
  { release: 'none', disruptive: true },
  async ({ lab, observe }) => {
    const release = await lab.install({ patches: replicas(1) });
    const { database } = registryOf(release);
    await registryApi(release).register(BAROMETER);
    const [rows, schema] = [await readRows(database), await readSchema(database)];
    const successor = await lab.replacePods(release);
    const { state, restartCount } = containerStatus(successor, MIGRATIONS);
    expect(state?.terminated?.exitCode, `exit code of ${MIGRATIONS}`).toBe(0);
    expect(restartCount, `restarts of ${MIGRATIONS}`).toBe(0);
    const log = await migrationLog(release, successor);
    expect(log.trim(), `log of ${MIGRATIONS}`).not.toBe('');
    expect(upgradesIn(log), 'upgrades that were made').toEqual([]);
    await expect(dataKept(rows, await readRows(database))).toHold();
    expect(await readSchema(database), 'schema').toEqual(schema);
    observe(`${successor.metadata.name}: exit code 0, no upgrade at revision ${schema.revision ?? ''}`);
  },
);

requirement(
  'R-12',
  'holds an upgrade back whose migration fails, tries again after growing pauses, and goes on by itself once that is mended',
  { release: 'none', disruptive: true, timeoutMs: 600_000 },
  async ({ lab, subject, kube, observe }) => {
    const release = await lab.install({ patches: [...replicas(1), ...previous(subject)] });
    const { database, password } = registryOf(release);
    const old = await onePod(release);
    const sabotage = await breakMigrations(database);
    await lab.upgrade(release, { patches: replicas(1), rollout: false });
    const young = await nextPod(release, [old]);
    const { name } = young.metadata;
    const { log, exitCode } = await failedRun(release, young);
    await expect(namesCause(log, new RegExp(BROKEN), 'the migration that fails')).toHold();
    await expect(tellsNoPassword(log, password)).toHold();
    await startedAgain(release, young, 2);

    const recording = await release.settleRecording();
    await expect(restartsWithBackOff(containerRuns(recording, name, MIGRATIONS), MIGRATIONS)).toHold();
    await expect(neverStarted(recording, name)).toHold();
    // A pod that has missed a probe or two comes back by itself; one that was replaced does not.
    await untilBehindService(release, [old], {
      what: `the ready endpoints of Service ${SERVICE} to be the pod of the revision before alone`,
    });
    await registryApi(release).register(BAROMETER);
    observe(`exit code ${exitCode}; ${old.metadata.name} serves meanwhile`);

    await sabotage.undo();
    // It has failed so often that a wait would give up early; this time it has been mended.
    await waitForRollout(kube, release.deployment(DEPLOYMENT), { timeoutMs: 300_000, giveUpEarly: false });
    expect((await onePod(release)).metadata.name, 'the pod that had failed').toBe(name);
    await expect(schemaIsCurrent(await readSchema(database), await headOf(release, young))).toHold();
  },
);

requirement(
  'R-30',
  'can be migrated by a Job before it is deployed, and its init container then finds nothing to do',
  { release: 'none', disruptive: true },
  async ({ lab, kube, observe }) => {
    // What the Job refers to is there, and nothing runs.
    const release = await lab.install({ patches: replicas(0) });
    const { namespace } = release;
    const job = await migrationJob(lab, release);
    await kube.apply(job, { namespace });
    const labelSelector = `job-name=${job.metadata.name}`;
    await release.until(
      `Job ${job.metadata.name} to complete`,
      async () => {
        const live = await kube.get('Job', { name: job.metadata.name, namespace });
        return hasCondition(live, 'Complete');
      },
      180_000,
    );
    const { database } = registryOf(release);
    const after = await readSchema(database);
    const ran = await kube.list('Pod', { namespace, labelSelector });
    expect(
      ran.map(({ status }) => status?.phase),
      `pods of Job ${job.metadata.name}`,
    ).toEqual(['Succeeded']);

    await lab.upgrade(release, { patches: replicas(1) });
    const pod = await onePod(release);
    const recording = await release.settleRecording();
    const order = recording.podEndedBeforePodStarted(ran[0]?.metadata.name ?? '', pod.metadata.name);
    expect(order.ok, order.evidence).toBe(true);
    await expect(schemaIsCurrent(after, await headOf(release, pod))).toHold();
    expect(upgradesIn(await migrationLog(release, pod)), 'upgrades by the init container').toEqual([]);
    observe(order.evidence);
  },
);

/** The release before this one, in all containers that run the application. */
function previous(subject: SubjectConfig): ManifestPatch[] {
  const image = subject.images.find(({ name }) => name === 'previous');
  if (!image) throw new CheckFailure('E_NO_IMAGE', 'the subject has no image of the previous release');
  return [{ images: { api: image.ref, [MIGRATIONS]: image.ref } }];
}

/** The previous release registers, finds and calls, on the schema of the one after it. */
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

/** A new pod counts only after a time of being ready that does not come: both releases serve for as long as the check needs. */
const lingering: readonly ManifestPatch[] = [
  {
    target: { kind: 'Deployment', name: DEPLOYMENT },
    ops: [
      { op: 'add', path: '/spec/minReadySeconds', value: 3000 },
      // Has to be longer.
      { op: 'add', path: '/spec/progressDeadlineSeconds', value: 3600 },
    ],
  },
];

/**
 * Waits until a connection waits for an advisory lock of another, which migrates meanwhile. Where there is no lock nobody ever does:
 * what was seen is to be judged.
 */
async function othersWait({ samples }: LockWatch): Promise<void> {
  try {
    await waitFor<undefined>({
      what: 'a replica to wait for the lock of the migrations',
      timeoutMs: 150_000,
      look: () => {
        if (samples.some(({ locks }) => locks.some(({ granted }) => !granted)))
          return Promise.resolve({ done: true, value: undefined });
        return Promise.resolve({ done: false, seen: `nobody, in ${samples.length} looks that saw a lock` });
      },
    });
  } catch (error) {
    if (!(error instanceof WaitTimeout)) throw error;
  }
}

/** Waits until the schema has been looked at once. */
function lookedAt({ samples }: SchemaWatch): Promise<void> {
  return waitFor<undefined>({
    what: 'the schema to be looked at',
    timeoutMs: 60_000,
    look: () =>
      Promise.resolve(
        samples.length > 0
          ? { done: true, value: undefined }
          : { done: false, seen: 'no look has come to its end' },
      ),
  });
}

/** Waits until the schema has been looked at with a pod behind the Service. */
function someoneServes({ samples }: SchemaWatch): Promise<void> {
  const serving = waitFor<undefined>({
    what: `somebody to be behind Service ${SERVICE}`,
    timeoutMs: 180_000,
    look: () => {
      const served = samples.some(({ ready }) => ready.length > 0);
      return Promise.resolve(served ? { done: true, value: undefined } : { done: false, seen: 'nobody is' });
    },
  });
  // When the rollout fails first, nobody listens any more.
  serving.catch(() => {});
  return serving;
}

/** Waits until the kubelet has started the migrations of a pod so many times after the first. */
function startedAgain(
  { kube, namespace }: Release,
  { metadata: { name } }: Pod,
  times: number,
): Promise<void> {
  return waitFor<undefined>({
    what: `${MIGRATIONS} of ${name} to be started again ${times} times`,
    timeoutMs: 180_000,
    look: async () => {
      const pod = await kube.get('Pod', { name, namespace });
      const seen = pod ? containerStatus(pod, MIGRATIONS) : undefined;
      if ((seen?.restartCount ?? 0) >= times) return { done: true, value: undefined };
      return { done: false, seen: seen ? `${seen.restartCount} times` : 'the pod is gone' };
    },
  });
}

async function onePod(release: Release): Promise<Pod> {
  const [pod] = await release.pods();
  if (!pod) throw new CheckFailure('E_SELECTED_NOTHING', 'the release has no pod');
  return pod;
}
