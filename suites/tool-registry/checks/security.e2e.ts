/** The containers' privileges as the kernel reports them, and their resource limits. */
import { createHash } from 'node:crypto';
import {
  cgroupOf,
  findContainerCgroup,
  type ContainerCgroup,
} from '../../../clusters/nodes/container-cgroup.ts';
import { mounts } from '../../../harness/observe/predicates/live/mounts.ts';
import {
  gainsNoPrivileges,
  hasNoCapabilities,
  runsAsUser,
} from '../../../harness/observe/predicates/live/process.ts';
import { cgroupMatches } from '../../../harness/observe/predicates/live/resources.ts';
import type { PredicateResult } from '../../../harness/observe/predicates/result.ts';
import { CheckFailure } from '../../../harness/core/errors.ts';
import type { Container, Pod } from '../../../harness/kube/api/types.ts';
import { containerRunning } from '../../../harness/observe/waits/containers.ts';
import { podCreated } from '../../../harness/observe/waits/pod-creation.ts';
import { expect } from '../../../harness/run/suite/assertions.ts';
import { containerNamed, containerStatus, type Release } from '../../../harness/run/suite/release.ts';
import type { RegistryLab, RegistryRelease } from '../environment.ts';
import { requirement } from '../kit.ts';
import { migrationsOf } from '../migrations/migration-run.ts';
import { migrationScript } from '../migrations/migration-script.ts';
import { rolesOf, serverOf, serverPods } from '../roles.ts';
import { replicas } from '../variants.ts';

const USER = 1000;

requirement('R-36', `runs as user ${USER}, not as root`, async ({ release }) => {
  await inEveryPod(release, (status) => runsAsUser(status, USER));
});

requirement('R-38', 'has no Linux capability and can gain none', async ({ release }) => {
  await inEveryPod(release, hasNoCapabilities);
});

requirement('R-39', 'cannot gain privileges', async ({ release }) => {
  await inEveryPod(release, gainsNoPrivileges);
});

requirement('R-37', 'cannot write to its root file system', async ({ release, observe }) => {
  for (const pod of await serverPods(release)) {
    const { name } = rolesOf(release).server;
    const table = await release.output(pod, ['cat', '/proc/1/mounts'], name);
    await expect(mounts(table, [{ path: '/', readOnly: true }])).toHold();
    const { stderr } = await release.exec(pod, ['touch', '/kindproof'], name);
    // A refusal for its user would prove nothing about the file system.
    expect(stderr, `writing to / in ${pod.metadata.name}`).toMatch(/read-only file system/i);
    observe(`${pod.metadata.name}: ${stderr.trim()}`);
  }
});

requirement(
  ['R-36', 'R-38', 'R-39'],
  'has the same restrictions while it migrates',
  { release: 'none', disruptive: true },
  async ({ lab }) => {
    const { release, pod } = await waitingMigration(lab);
    const status = await release.output(pod, ['cat', '/proc/1/status'], migrationsOf(release));
    await expect(runsAsUser(status, USER)).toHold();
    await expect(hasNoCapabilities(status)).toHold();
    await expect(gainsNoPrivileges(status)).toHold();
  },
);

requirement(
  'R-13',
  'migrates with the script of the ConfigMap, which it cannot change',
  { release: 'none', disruptive: true },
  async ({ lab, observe }) => {
    const { release, pod } = await waitingMigration(lab);
    const { deployment, migrations } = rolesOf(release);
    const { name } = migrations.container;
    const { path, configMap, key } = migrationScript(deployment, migrations.container);
    const data = release.rendered('ConfigMap', configMap)['data'] as Record<string, string>;
    const mounted = await release.output(pod, ['cat', path], name);
    expect(digest(mounted), `digest of ${path}`).toBe(digest(data[key] ?? ''));
    const running = await release.output(pod, ['cat', '/proc/1/cmdline'], name);
    expect(running.replaceAll('\0', ' '), `first process of container ${name}`).toContain(path);
    const { exitCode } = await release.exec(pod, ['sh', '-c', `echo >> ${path}`], name);
    expect(exitCode, `exit code of writing to ${path}`).not.toBe(0);
    observe(
      `${path} runs and is key ${key} of ConfigMap ${configMap}, SHA-256 ${digest(mounted).slice(0, 12)}…`,
    );
  },
);

requirement(
  'R-35',
  'has its limits in the cgroup of the application, and stays below them',
  { needs: ['node-access'] },
  async ({ release, cluster, observe }) => {
    for (const pod of await serverPods(release)) {
      const { name } = rolesOf(release).server;
      const container = pod.spec.containers.find((one) => one.name === name);
      observe(
        `${pod.metadata.name}: ${await keepsItsLimits(await cgroupOf(cluster.nodes, pod, name), container)}`,
      );
    }
  },
);

requirement(
  'R-35',
  'has its limits in the cgroup of the migrations too',
  { release: 'none', disruptive: true, needs: ['node-access'] },
  async ({ lab, cluster, observe }) => {
    const { release, pod } = await waitingMigration(lab);
    const migrations = migrationsOf(release);
    const { containerID = '' } = containerStatus(pod, migrations);
    if (!cluster.nodes)
      throw new CheckFailure('E_NO_NODE_ACCESS', 'this cluster gives no access to its nodes');
    const cgroup = await findContainerCgroup(cluster.nodes, pod.spec.nodeName ?? '', containerID);
    observe(await keepsItsLimits(cgroup, containerNamed(pod.spec, migrations, `pod ${pod.metadata.name}`)));
  },
);

/** A release of one pod whose migrations keep running, because its database is not connected. */
async function waitingMigration(lab: RegistryLab): Promise<{ release: RegistryRelease; pod: Pod }> {
  const environment = { connected: false };
  const release = await lab.install({ patches: await replicas(lab, 1), environment, rollout: false });
  const created = await podCreated(release.kube, serverOf(release));
  return { release, pod: await containerRunning(release.kube, created, migrationsOf(release)) };
}

async function inEveryPod(release: Release, predicate: (status: string) => PredicateResult): Promise<void> {
  for (const pod of await serverPods(release)) {
    await expect(
      predicate(await release.output(pod, ['cat', '/proc/1/status'], rolesOf(release).server.name)),
    ).toHold();
  }
}

/** @returns the memory peak, for the report */
async function keepsItsLimits(cgroup: ContainerCgroup, container: Container | undefined): Promise<string> {
  const { limitBytes, maxUsageBytes, usageBytes, oomKills } = await cgroup.memory();
  const { quotaUs, periodUs } = await cgroup.cpu();
  await expect(cgroupMatches(container?.resources ?? {}, { limitBytes, quotaUs, periodUs })).toHold();
  const peak = maxUsageBytes ?? usageBytes;
  expect(peak, 'peak of memory').toBeLessThan(limitBytes ?? 0);
  expect(oomKills, 'OOM kills').toBe(0);
  return `at most ${Math.ceil(peak / 2 ** 20)} MiB used`;
}

function digest(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}
