/** The migrations with a late, missing, unreachable or unsuitable database, or a wrong password: what they log, and how they recover. */
import { containerRestarted } from '../../../harness/observe/waits/containers.ts';
import { podCreated } from '../../../harness/observe/waits/pod-creation.ts';
import type { KubeObject } from '../../../harness/kube/api/types.ts';
import { expect } from '../../../harness/run/suite/assertions.ts';
import { requirement } from '../kit.ts';
import {
  attemptsIn,
  CAUSES,
  containsNoPassword,
  gaveUpAfterAllAttempts,
  MAX_ATTEMPTS,
  namesCause,
} from '../migrations/migration-log.ts';
import {
  attemptsLogged,
  failedRun,
  migrationLog,
  migrationsOf,
  neverServed,
} from '../migrations/migration-run.ts';
import { replaceServerPods, serverOf, serverPod } from '../roles.ts';
import { configured, replicas } from '../variants.ts';

/** All characters with a meaning in a URL, in a shell or for ConfigParser. */
const AWKWARD_PASSWORD = "kp@100%/a:b#c?d e+f&g='h'$i";

/** 30 attempts two seconds apart take a minute. There is no upper bound: on a busy machine each takes longer, but none takes less. */
const ATTEMPTS_LAST_SECONDS = 45;

/** Every pod of the namespace may open connections to port 53 only. */
const DNS_ONLY: KubeObject = {
  apiVersion: 'networking.k8s.io/v1',
  kind: 'NetworkPolicy',
  metadata: { name: 'kindproof-egress' },
  spec: {
    podSelector: {},
    policyTypes: ['Egress'],
    egress: [{ ports: ['UDP', 'TCP'].map((protocol) => ({ protocol, port: 53 })) }],
  },
};

requirement(
  ['R-15', 'R-10'],
  'needs the extension pgvector: fails without it and says so, and succeeds as an ordinary user where it exists',
  { disruptive: true, timeoutMs: 420_000 },
  async ({ release: conforming, lab, kube, observe }) => {
    const { database } = conforming.environment;
    const [role] = await database.query('select rolsuper from pg_roles where rolname = $1', [database.owner]);
    expect(role, `role ${database.owner} of the conforming release`).toEqual({ rolsuper: false });

    const release = await lab.install({
      patches: await replicas(lab, 1),
      environment: { server: 'bare' },
      rollout: false,
    });
    const pod = await podCreated(kube, serverOf(release));
    const { log, exitCode } = await failedRun(release, pod);
    await expect(namesCause(log, CAUSES.extension, 'the missing extension')).toHold();
    await expect(containsNoPassword(log, release.environment.password)).toHold();
    await expect(neverServed(release, pod)).toHold();
    observe(
      `exit code ${exitCode} without the extension; with it, ${database.owner} migrated as no superuser`,
    );
  },
);

requirement(
  ['R-16', 'R-44'],
  'reports a wrong password, and becomes ready with the right one, whatever characters it has',
  { release: 'none', disruptive: true, timeoutMs: 420_000 },
  async ({ lab, kube, observe }) => {
    const release = await lab.install({
      patches: await replicas(lab, 1),
      environment: { password: AWKWARD_PASSWORD, urlPassword: 'not-the-password' },
      rollout: false,
    });
    const pod = await podCreated(kube, serverOf(release));
    const { log, exitCode } = await failedRun(release, pod);
    await expect(namesCause(log, CAUSES.password, 'the password')).toHold();
    await expect(containsNoPassword(log, AWKWARD_PASSWORD, 'not-the-password')).toHold();
    await expect(neverServed(release, pod)).toHold();

    const { database } = release.environment;
    const edited = configured({ databaseUrl: database.url() });
    await lab.upgrade(release, { patches: [...(await replicas(lab, 1)), ...edited], rollout: false });
    const successor = await replaceServerPods(lab, release);
    const connections = await database.connections();
    expect(connections.length, 'connections of the application').toBeGreaterThan(0);
    observe(
      `exit code ${exitCode}; then ${successor.metadata.name} ready with a password of ${AWKWARD_PASSWORD.length} characters`,
    );
  },
);

requirement(
  'R-08',
  'waits for a late database, and then completes its rollout without intervention',
  { release: 'none', disruptive: true, timeoutMs: 420_000 },
  async ({ lab, kube, observe }) => {
    const release = await lab.install({
      patches: await replicas(lab, 1),
      environment: { connected: false },
      rollout: false,
    });
    const pod = await podCreated(kube, serverOf(release));
    const { name } = pod.metadata;
    await attemptsLogged(release, pod, 3);
    await expect(neverServed(release, pod)).toHold();
    await release.environment.connect();
    await release.rolledOut();
    expect((await serverPod(release)).metadata.name, 'the pod that waited').toBe(name);
    const attempts = attemptsIn(await migrationLog(release, pod));
    observe(`${name} is ready after ${attempts.length} attempts to reach the database`);
  },
);

requirement(
  ['R-09', 'R-10', 'R-44'],
  'gives up after 30 attempts, reports the cause, and is restarted by Kubernetes',
  { release: 'none', disruptive: true, timeoutMs: 600_000, typicalMs: 100_000 },
  async ({ lab, kube, observe }) => {
    const release = await lab.install({
      patches: await replicas(lab, 1),
      environment: { connected: false },
      rollout: false,
    });
    const pod = await podCreated(kube, serverOf(release));
    const { log, exitCode, startedAt, finishedAt } = await failedRun(release, pod, 400_000);
    await expect(gaveUpAfterAllAttempts(log)).toHold();
    const seconds = (Date.parse(finishedAt) - Date.parse(startedAt)) / 1000;
    expect(seconds, `seconds that ${MAX_ATTEMPTS} attempts took`).toBeGreaterThanOrEqual(
      ATTEMPTS_LAST_SECONDS,
    );
    await expect(namesCause(log, CAUSES.unreachable, 'the unreachable database')).toHold();
    await expect(containsNoPassword(log, release.environment.password)).toHold();
    await containerRestarted(kube, pod, migrationsOf(release));
    await expect(neverServed(release, pod)).toHold();
    observe(`exit code ${exitCode} after ${seconds} s`);
  },
);

requirement(
  'R-45',
  'reports an unreachable database while a NetworkPolicy blocks it, and connects once the policy is gone',
  { release: 'none', disruptive: true, needs: ['network-policy'], timeoutMs: 420_000 },
  async ({ lab, kube, observe }) => {
    const namespace = await lab.namespace();
    const policy = await kube.apply(DNS_ONLY, { namespace });
    const release = await lab.install({ namespace, patches: await replicas(lab, 1), rollout: false });
    const pod = await podCreated(kube, serverOf(release));
    const log = await attemptsLogged(release, pod, 3);
    await expect(namesCause(log, CAUSES.unreachable, 'the unreachable database')).toHold();
    await expect(neverServed(release, pod)).toHold();
    const { apiVersion, kind, metadata } = policy;
    await kube.delete({ apiVersion, kind }, { name: metadata.name, namespace });
    await release.rolledOut();
    observe(
      `${attemptsIn(log).length} attempts failed under NetworkPolicy ${metadata.name}, none without it`,
    );
  },
);
