/** The agent's privileges on its node, as the kernel and the container runtime report them. */
import { cgroupOf } from '../../../clusters/nodes/container-cgroup.ts';
import { runtimeHandlerOf } from '../../../clusters/nodes/runtime-handler-of.ts';
import {
  gainsNoPrivileges,
  hasNoCapabilities,
  runsAsUser,
} from '../../../harness/observe/predicates/live/process.ts';
import { cgroupMatches } from '../../../harness/observe/predicates/live/resources.ts';
import { nothingWrong, type PredicateResult } from '../../../harness/observe/predicates/result.ts';
import { CheckFailure } from '../../../harness/core/errors.ts';
import type { Pod } from '../../../harness/kube/api/types.ts';
import { expect } from '../../../harness/run/suite/assertions.ts';
import type { Release } from '../../../harness/run/suite/release.ts';
import { allowedRequests } from '../allowed-requests.ts';
import { agentIn, agentOf, agentPods } from '../agent.ts';
import { requirement } from '../kit.ts';

/** Every container's entries of /dev (runtime specification, "Default Devices" and "Default Filesystems"), and those of a GPU. */
const ORDINARY_DEVICES =
  /^(null|zero|full|random|urandom|tty|console|ptmx|pts|shm|mqueue|fd|stdin|stdout|stderr|core|termination-log|nvidia.*)$/;

/** Every node runs an init, a kubelet and a container runtime, some distributions in one program. */
const NODE_PROCESS =
  /^(\S*\/)?(sbin\/init|systemd\S*|kubelet|containerd\S*|dockerd|crio|conmon|k3s|k3s-\S+|rke2|k0s)( |$)/;

/** Checks /proc/1/status in every pod. */
async function everyMainProcess(
  release: Release,
  observe: (text: string) => void,
  predicate: (status: string) => PredicateResult,
): Promise<void> {
  for (const pod of await agentPods(release)) {
    const result = predicate(
      await release.output(pod, ['cat', '/proc/1/status'], agentIn(release).container.name),
    );
    await expect(result).toHold();
    observe(`${pod.metadata.name}: ${result.actual}`);
  }
}

requirement('G-12', 'runs as root, which NVML may need', async ({ release, observe }) => {
  await everyMainProcess(release, observe, (status) => runsAsUser(status, 0));
});

requirement('G-13', 'cannot gain privileges', async ({ release, observe }) => {
  await everyMainProcess(release, observe, gainsNoPrivileges);
});

requirement('G-15', 'has no Linux capability and can gain none', async ({ release, observe }) => {
  await everyMainProcess(release, observe, hasNoCapabilities);
});

requirement(
  'G-14',
  'cannot write to its root file system, and its agent still works',
  async ({ release, observe }) => {
    for (const pod of await agentPods(release)) {
      const write = await release.exec(
        pod,
        ['sh', '-c', 'echo x > /kindproof-was-here'],
        agentIn(release).container.name,
      );
      expect(write.exitCode, `exit code of writing to / in ${pod.metadata.name}`).not.toBe(0);
      expect(write.stderr).toMatch(/read-only file system/i);
      const version = await release.exec(pod, ['/agent', '--version'], agentIn(release).container.name);
      expect(version.exitCode, `exit code of /agent --version: ${version.stderr.trim()}`).toBe(0);
      observe(`${pod.metadata.name}: ${write.stderr.trim()}; /agent --version exits 0`);
    }
  },
);

requirement(
  'G-11',
  "sees none of its node's devices except GPUs, unlike a privileged container",
  async ({ release, observe }) => {
    for (const pod of await agentPods(release)) {
      const devices = (await release.output(pod, ['ls', '/dev'], agentIn(release).container.name))
        .split(/\s+/)
        .filter(Boolean);
      expect(devices.length, `entries of /dev in ${pod.metadata.name}`).toBeGreaterThan(0);
      const foreign = devices.filter((name) => !ORDINARY_DEVICES.test(name));
      await expect(
        nothingWrong(
          `${pod.metadata.name} sees ordinary devices only`,
          foreign.map((name) => `/dev/${name}`),
        ),
      ).toHold();
      observe(`${pod.metadata.name}: ${devices.length} entries in /dev`);
    }
  },
);

requirement('G-16', 'has its own network namespace', async ({ release, observe }) => {
  for (const pod of await agentPods(release)) {
    const { podIP, hostIP } = (pod.status ?? {}) as { podIP?: string; hostIP?: string };
    expect(podIP, `address of ${pod.metadata.name}`).toBeTruthy();
    expect(podIP, `address of ${pod.metadata.name}, on a node with ${hostIP ?? '?'}`).not.toBe(hostIP);
    const interfaces = (await release.output(pod, ['cat', '/proc/net/dev'], agentIn(release).container.name))
      .split('\n')
      .flatMap((line) => /^\s*([^:\s]+):/.exec(line)?.[1] ?? []);
    // A node has at least one more for each of its pods.
    expect(interfaces.toSorted(), `network interfaces in ${pod.metadata.name}`).toEqual(
      ['eth0', 'lo'].filter((name) => name === 'lo' || interfaces.includes(name)),
    );
    observe(`${pod.metadata.name}: ${podIP ?? ''} on ${hostIP ?? ''}, interfaces ${interfaces.join(', ')}`);
  }
});

requirement('G-17', "sees only its own processes, none of its node's", async ({ release, observe }) => {
  for (const pod of await agentPods(release)) {
    // One program for all processes: a node has a hundred, and the container a tenth of a core.
    const script = 'head -n 1 /proc/[0-9]*/cmdline 2> /dev/null | tr "\\0" " "';
    const commands = (await release.output(pod, ['sh', '-c', script], agentIn(release).container.name))
      .split('\n')
      .map((line) => line.trim())
      .filter((line) => line !== '' && !/^==> \S+ <==$/.test(line));
    expect(commands.length, `processes in ${pod.metadata.name}`).toBeGreaterThan(0);
    const foreign = commands.filter((command) => NODE_PROCESS.test(command));
    await expect(nothingWrong(`${pod.metadata.name} sees no process of its node`, foreign)).toHold();
    observe(`${pod.metadata.name}: ${commands.length} processes, process 1 is ${commands[0] ?? ''}`);
  }
});

requirement(
  'G-20',
  'has its limits in the cgroup of its container',
  { needs: ['node-access'] },
  async ({ release, cluster, observe }) => {
    for (const pod of await agentPods(release)) {
      const container = pod.spec.containers.find((c) => c.name === agentIn(release).container.name);
      const cgroup = await cgroupOf(cluster.nodes, pod, agentIn(release).container.name);
      const { limitBytes } = await cgroup.memory();
      const { quotaUs, periodUs } = await cgroup.cpu();
      await expect(cgroupMatches(container?.resources ?? {}, { limitBytes, quotaUs, periodUs })).toHold();
      observe(`${pod.metadata.name}: ${limitBytes ?? 'no'} bytes, ${quotaUs ?? 'no'} of ${periodUs} µs`);
    }
  },
);

requirement(
  'G-07',
  'runs with the handler of the RuntimeClass nvidia',
  { needs: ['node-access'] },
  async ({ release, kube, cluster, observe }) => {
    const runtimeClass = await kube.get('RuntimeClass', { name: 'nvidia' });
    if (!runtimeClass) throw new CheckFailure('E_NOT_FOUND', 'the cluster has no RuntimeClass nvidia');
    for (const pod of await agentPods(release)) {
      const handler = await runtimeHandlerOf(cluster.nodes, pod);
      expect(handler, `runtime handler of ${pod.metadata.name}`).toBe(runtimeClass['handler']);
      observe(`${pod.metadata.name}: handler ${handler} on ${pod.spec.nodeName ?? ''}`);
    }
  },
);

requirement('G-02', 'runs with its own ServiceAccount', async ({ release, kube, observe }) => {
  const { namespace } = agentIn(release);
  for (const pod of await agentPods(release)) {
    const name = serviceAccountOf(pod);
    expect(name, `ServiceAccount of ${pod.metadata.name}`).not.toBe('default');
    const account = await kube.get('ServiceAccount', { name, namespace });
    expect(account?.metadata.name, `ServiceAccount ${name} in ${namespace}`).toBe(name);
    observe(`${pod.metadata.name} runs as ${name}`);
  }
});

requirement(
  'G-03',
  'is not allowed to change the cluster, read Secrets or exec into pods',
  async ({ release, kube, observe }) => {
    const name = serviceAccountOf(await release.pod(agentOf(release)));
    const { reviewed, allowed } = await allowedRequests(kube, {
      namespace: agentIn(release).namespace,
      name,
    });
    expect(reviewed, 'reviewed requests').toBeGreaterThan(0);
    await expect(
      nothingWrong(`ServiceAccount ${name} is allowed none of ${reviewed} requests`, allowed),
    ).toHold();
    observe(`ServiceAccount ${name}: none of ${reviewed} requests is allowed`);
  },
);

function serviceAccountOf(pod: Pod): string {
  return pod.spec['serviceAccountName'] ?? 'default';
}
