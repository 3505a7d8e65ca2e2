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
import { containerStatus, type Release } from '../../../harness/run/suite/release.ts';
import type { RegistryLab, RegistryRelease } from '../environment.ts';
import { requirement } from '../kit.ts';
import { MIGRATIONS } from '../migrations/migration-run.ts';
import { migrationScript } from '../migrations/migration-script.ts';
import { DEPLOYMENT } from '../names.ts';
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
  for (const pod of await release.deployment(DEPLOYMENT).pods()) {
    const table = await release.output(pod, ['cat', '/proc/1/mounts'], 'api');
    await expect(mounts(table, [{ path: '/', readOnly: true }])).toHold();
    const { stderr } = await release.exec(pod, ['touch', '/kindproof'], 'api');
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
    const status = await release.output(pod, ['cat', '/proc/1/status'], MIGRATIONS);
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
    const { path, configMap, key } = migrationScript(release.rendered('Deployment', DEPLOYMENT));
    const data = release.rendered('ConfigMap', configMap)['data'] as Record<string, string>;
    const mounted = await release.output(pod, ['cat', path], MIGRATIONS);
    expect(digest(mounted), `digest of ${path}`).toBe(digest(data[key] ?? ''));
    const running = await release.output(pod, ['cat', '/proc/1/cmdline'], MIGRATIONS);
    expect(running.replaceAll('\0', ' '), 'first process of the init container').toContain(path);
    const { exitCode } = await release.exec(pod, ['sh', '-c', `echo >> ${path}`], MIGRATIONS);
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
    for (const pod of await release.deployment(DEPLOYMENT).pods()) {
      const container = pod.spec.containers.find(({ name }) => name === 'api');
      observe(
        `${pod.metadata.name}: ${await keepsItsLimits(await cgroupOf(cluster.nodes, pod, 'api'), container)}`,
      );
    }
  },
);

requirement(
  'R-35',
  'has its limits in the cgroup of the migrations too',
  { release: 'none', disruptive: true, needs: ['node-access'] },
  async ({ lab, cluster, observe }) => {
    const { pod } = await waitingMigration(lab);
    const { containerID = '' } = containerStatus(pod, MIGRATIONS);
    if (!cluster.nodes)
      throw new CheckFailure('E_NO_NODE_ACCESS', 'this cluster gives no access to its nodes');
    const cgroup = await findContainerCgroup(cluster.nodes, pod.spec.nodeName ?? '', containerID);
    const container = pod.spec.initContainers?.find(({ name }) => name === MIGRATIONS);
    observe(await keepsItsLimits(cgroup, container));
  },
);

/** A release of one pod whose init container keeps running, because its database is not connected. */
async function waitingMigration(lab: RegistryLab): Promise<{ release: RegistryRelease; pod: Pod }> {
  const environment = { connected: false };
  const release = await lab.install({ patches: replicas(1), environment, rollout: false });
  const created = await podCreated(release.kube, release.deployment(DEPLOYMENT));
  return { release, pod: await containerRunning(release.kube, created, MIGRATIONS) };
}

async function inEveryPod(release: Release, predicate: (status: string) => PredicateResult): Promise<void> {
  for (const pod of await release.deployment(DEPLOYMENT).pods()) {
    await expect(predicate(await release.output(pod, ['cat', '/proc/1/status'], 'api'))).toHold();
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
