/** The chart's sidecar for Docker, with a real daemon: who reaches it, and how. */
import { cgroupOf } from '../../../clusters/nodes/container-cgroup.ts';
import { CheckFailure } from '../../../harness/core/errors.ts';
import { listed } from '../../../harness/core/wording.ts';
import type { Pod } from '../../../harness/kube/api/types.ts';
import { cgroupMatches } from '../../../harness/observe/predicates/live/resources.ts';
import { expect } from '../../../harness/run/suite/assertions.ts';
import { CheckSkipped, type CheckContext } from '../../../harness/run/suite/check.ts';
import { containerStatus, type Release } from '../../../harness/run/suite/release.ts';
import { startDockerClient, type DockerClient, type Identity } from '../docker-client.ts';
import {
  ADMITS_PRIVILEGED,
  controlDaemon,
  daemonAnswering,
  mayBeOfTheNode,
  sidecarOf,
  SOCKET,
  withImage,
  type Daemon,
  type Sidecar,
} from '../docker-daemon.ts';
import { requirement } from '../kit.ts';
import { withReplicas } from '../means.ts';
import { serverPods } from '../server-pods.ts';
import { serverIn } from '../server.ts';
import { DOCKER_DAEMON } from '../suite.ts';

/** The group that the documents give to the main container and to the socket. */
const GROUP = 2375;
const NOBODY = 65_534;
/** Where the client sees the folder of the daemon, whatever the main container mounts. */
const OF_DAEMON = '/daemon';

requirement(
  ['T-09', 'TA-05', 'TA-08'],
  'reaches its Docker daemon by a socket in a shared volume, which its group may use and no other process',
  // After it, the pod of the daemon takes three quarters of a minute to end, and exclusive checks wait for that.
  { release: 'none', disruptive: true, images: [DOCKER_DAEMON], typicalMs: 100_000 },
  async (context) => {
    const { lab, subject, note } = context;
    const set = ['dind.enabled=true'];
    const { objects } = await lab.render({ set });
    const server = serverIn({ objects, namespace: lab.source().namespace });
    const sidecar = sidecarOf(server);
    const image = subject.images.find(({ name }) => name === DOCKER_DAEMON)?.ref ?? '';
    const release = await lab.install({
      set,
      patches: [...withReplicas(server, 1), withImage(server, sidecar, image)],
      namespaceLabels: ADMITS_PRIVILEGED,
      rollout: false,
    });
    const { pod, client, daemon } = await started(context, release, sidecar, image);
    const where = `${sidecar.container.name} of ${pod.metadata.name}`;
    const onTcp = listed(daemon.ports.map((port) => `TCP port ${port}`));
    expect(
      daemon.version,
      `version of Docker at the socket of ${where}, which answers on ${onTcp}`,
    ).toBeDefined();

    const main = server.container.name;
    const own = identityOf(pod, main);
    expect(own.uid, `user of ${main} in ${pod.metadata.name}`).not.toBe(0);
    expect(own.supplementalGroups, `groups of ${main} in ${pod.metadata.name}`).toContain(GROUP);
    await reachesIt(client, own, sidecar, context);
    if (daemon.ports.length > 0)
      note(`${where} also answers on ${onTcp}, where no group decides who may use it`);
    await hasItsLimits(pod, sidecar, context);
  },
);

interface Started {
  pod: Pod;
  client: DockerClient;
  daemon: Daemon;
}

/** Waits until the daemon answers. When it does not, a daemon on the same node tells whether the node is to blame. */
async function started(
  { lab, kube, observe }: CheckContext,
  release: Release,
  { container, mount, mainMount }: Sidecar,
  image: string,
): Promise<Started> {
  try {
    await release.rolledOut();
    const [pod] = await serverPods(release);
    if (!pod) throw new CheckFailure('E_SELECTED_NOTHING', 'the server has no pod');
    const mounts = [{ ...mount, mountPath: OF_DAEMON }, ...(mainMount ? [mainMount] : [])];
    const client = await startDockerClient(kube, pod, mounts);
    const socket = `${OF_DAEMON}/${SOCKET}`;
    const daemon = await daemonAnswering(kube, { pod, sidecar: container.name, client, socket });
    return { pod, client, daemon };
  } catch (error) {
    const node = mayBeOfTheNode(error) && (await serverPods(release))[0]?.spec.nodeName;
    if (node) observe(await controlDaemon(lab, node, image));
    throw error;
  }
}

/** The ids of the first process of a container, with all of its groups. */
function identityOf(pod: Pod, container: string): Identity {
  const { linux } = containerStatus(pod, container).user ?? {};
  if (!linux) throw new CheckSkipped('the cluster does not report the user and the groups of containers');
  const { uid, gid, supplementalGroups = [] } = linux;
  return { uid, gid, supplementalGroups: [...new Set([gid, ...supplementalGroups])] };
}

async function reachesIt(
  client: DockerClient,
  own: Identity,
  { container, mount, mainMount }: Sidecar,
  { observe }: CheckContext,
): Promise<void> {
  if (!mainMount) {
    throw new CheckFailure(
      'E_NOT_SHARED',
      `the main container does not mount volume ${mount.name}, in which ${container.name} has its socket`,
    );
  }
  const path = `${mainMount.mountPath}/${SOCKET}`;
  const { socket, version, error } = await client.ask(path, own);
  const mode = socket?.mode ?? 0;
  const owner = socket ? `group ${socket.gid}, mode ${octal(mode)}` : 'absent';
  const groups = listed(own.supplementalGroups.map(String));
  const what = `what user ${own.uid} of the groups ${groups} gets from Docker at ${path} (${owner})`;
  expect(error ?? 'an answer', what).toBe('an answer');
  expect(socket?.gid, `group of ${path}`).toBe(GROUP);
  expect(octal(mode & 0o067), `rights of the group and of others at ${path} (${owner})`).toBe('060');
  observe(`Docker ${version ?? ''} answers user ${own.uid} of the groups ${groups} at ${path} (${owner})`);

  const groupsWithout = own.supplementalGroups.filter((group) => group !== GROUP);
  const stranger = { uid: own.uid, gid: groupsWithout[0] ?? NOBODY, supplementalGroups: groupsWithout };
  const refusal = await client.ask(path, stranger);
  expect(refusal.error ?? 'an answer', `what user ${own.uid} without group ${GROUP} gets`).toBe('EACCES');
  observe(`without group ${GROUP} it gets ${refusal.error ?? ''}`);
}

async function hasItsLimits(
  pod: Pod,
  { container }: Sidecar,
  { cluster, observe }: CheckContext,
): Promise<void> {
  const access = await cluster.capability('node-access');
  if (!access.present) {
    observe(`the limits of ${container.name} were not read: ${access.evidence}`);
    return;
  }
  const cgroup = await cgroupOf(cluster.nodes, pod, container.name);
  const limits = { ...(await cgroup.memory()), ...(await cgroup.cpu()) };
  await expect(cgroupMatches(container.resources ?? {}, limits)).toHold();
}

function octal(mode: number): string {
  return mode.toString(8).padStart(3, '0');
}
