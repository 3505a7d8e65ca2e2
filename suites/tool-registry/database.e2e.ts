/** The migrations and a database that is late, away, shut off, of the wrong kind or has another password: what is logged, and what heals. */
import { containerRuns, neverStarted } from '../../harness/observe/predicates/live/back-off.ts';
import { expect } from '../../harness/run/suite/assertions.ts';
import { registryOf } from './environment.ts';
import { requirement } from './kit.ts';
import {
  attemptsIn,
  CAUSES,
  gaveUpAfterAllAttempts,
  MAX_ATTEMPTS,
  namesCause,
  tellsNoPassword,
} from './migration-log.ts';
import { attemptsLogged, failedRun, migrationLog, MIGRATIONS, nextPod } from './migration-run.ts';
import { SECRET } from './names.ts';
import { egressOnlyTo } from './network.ts';
import { replicas } from './variants.ts';

/** Every character that means something in a URL, in a shell or to ConfigParser. */
const AWKWARD_PASSWORD = "kp@100%/a:b#c?d e+f&g='h'$i";

/** 30 attempts two seconds apart take a minute; on a machine that is busy with other checks, each takes as long again or longer. */
const ATTEMPTS_LAST = { atLeast: 45, atMost: 300 } as const;

requirement(
  ['R-15', 'R-10'],
  'needs the extension pgvector: fails with that message without it, and passes as an ordinary user where it has been created',
  { disruptive: true, timeoutMs: 420_000 },
  async ({ release: conforming, lab, observe }) => {
    const { database } = registryOf(conforming);
    const [role] = await database.query('select rolsuper from pg_roles where rolname = $1', [database.owner]);
    expect(role, `role ${database.owner} of the conforming release`).toEqual({ rolsuper: false });

    const release = await lab.install({
      patches: replicas(1),
      environment: { server: 'bare' },
      rollout: false,
    });
    const pod = await nextPod(release);
    const { log, exitCode } = await failedRun(release, pod);
    await expect(namesCause(log, CAUSES.extension, 'the extension that is missing')).toHold();
    await expect(tellsNoPassword(log, registryOf(release).password)).toHold();
    await expect(neverStarted(await release.settleRecording(), pod.metadata.name)).toHold();
    observe(
      `exit code ${exitCode} without the extension; ${database.owner} is no superuser and migrated with it`,
    );
  },
);

requirement(
  ['R-16', 'R-44'],
  'says that the password is wrong, and becomes ready with the right one, whichever characters that has',
  { release: 'none', disruptive: true, timeoutMs: 420_000 },
  async ({ lab, observe }) => {
    const release = await lab.install({
      patches: replicas(1),
      environment: { password: AWKWARD_PASSWORD, urlPassword: 'not-the-password' },
      rollout: false,
    });
    const pod = await nextPod(release);
    const { log, exitCode } = await failedRun(release, pod);
    await expect(namesCause(log, CAUSES.password, 'the password')).toHold();
    await expect(tellsNoPassword(log, AWKWARD_PASSWORD, 'not-the-password')).toHold();
    await expect(neverStarted(await release.settleRecording(), pod.metadata.name)).toHold();

    const { database } = registryOf(release);
    const edited = { secret: SECRET, values: { DATABASE_URL: database.url() } };
    await lab.upgrade(release, { patches: [...replicas(1), edited], rollout: false });
    const successor = await lab.replacePods(release);
    const connections = await database.connections();
    expect(connections.length, 'connections of the application').toBeGreaterThan(0);
    observe(
      `exit code ${exitCode}; then ${successor.metadata.name} ready with a password of ${AWKWARD_PASSWORD.length} characters`,
    );
  },
);

requirement(
  'R-08',
  'waits for a database that comes late, and completes its rollout without anybody doing anything',
  { release: 'none', disruptive: true, timeoutMs: 420_000 },
  async ({ lab, observe }) => {
    const release = await lab.install({
      patches: replicas(1),
      environment: { connected: false },
      rollout: false,
    });
    const pod = await nextPod(release);
    const { name } = pod.metadata;
    await attemptsLogged(release, pod, 3);
    await expect(neverStarted(await release.settleRecording(), name)).toHold();
    await registryOf(release).connect();
    await release.rolledOut();
    const [ready] = await release.pods();
    expect(ready?.metadata.name, 'the pod that waited').toBe(name);
    const attempts = attemptsIn(await migrationLog(release, pod));
    observe(`${name} is ready after ${attempts.length} attempts to reach the database`);
  },
);

requirement(
  ['R-09', 'R-10', 'R-44'],
  'gives up after 30 attempts, says why, and is tried again by Kubernetes',
  { release: 'none', disruptive: true, timeoutMs: 600_000 },
  async ({ lab, observe }) => {
    const release = await lab.install({
      patches: replicas(1),
      environment: { connected: false },
      rollout: false,
    });
    const pod = await nextPod(release);
    const { name } = pod.metadata;
    const { log, exitCode, startedAt, finishedAt } = await failedRun(release, pod, 400_000);
    await expect(gaveUpAfterAllAttempts(log)).toHold();
    const seconds = (Date.parse(finishedAt) - Date.parse(startedAt)) / 1000;
    expect(seconds, `seconds that ${MAX_ATTEMPTS} attempts took`).toBeGreaterThanOrEqual(
      ATTEMPTS_LAST.atLeast,
    );
    expect(seconds, `seconds that ${MAX_ATTEMPTS} attempts took`).toBeLessThanOrEqual(ATTEMPTS_LAST.atMost);
    await expect(namesCause(log, CAUSES.unreachable, 'the database that cannot be reached')).toHold();
    await expect(tellsNoPassword(log, registryOf(release).password)).toHold();
    await release.until(
      `${MIGRATIONS} of ${name} to be started again`,
      () => Promise.resolve(containerRuns(release.recording, name, MIGRATIONS).length > 1),
      120_000,
    );
    await expect(neverStarted(await release.settleRecording(), name)).toHold();
    observe(`exit code ${exitCode} after ${seconds} s`);
  },
);

requirement(
  'R-45',
  'says that the database cannot be reached when a NetworkPolicy is in the way, and gets through without it',
  { release: 'none', disruptive: true, needs: ['network-policy'], timeoutMs: 420_000 },
  async ({ lab, kube, observe }) => {
    const namespace = await lab.namespace();
    const policy = await kube.apply(egressOnlyTo([53]), { namespace });
    const release = await lab.install({ namespace, patches: replicas(1), rollout: false });
    const pod = await nextPod(release);
    const log = await attemptsLogged(release, pod, 3);
    await expect(namesCause(log, CAUSES.unreachable, 'the database that cannot be reached')).toHold();
    await expect(neverStarted(await release.settleRecording(), pod.metadata.name)).toHold();
    const { apiVersion, kind, metadata } = policy;
    await kube.delete({ apiVersion, kind }, { name: metadata.name, namespace });
    await release.rolledOut();
    observe(
      `${attemptsIn(log).length} attempts failed behind NetworkPolicy ${metadata.name}, none without it`,
    );
  },
);
