/** The Docker daemon beside the server: which container it is, when it answers, and whether the node can run one at all. */
import { waitFor, WaitTimeout } from '../../harness/core/deadline.ts';
import { CheckFailure, DoesNotFit, InfrastructureError, messageOf } from '../../harness/core/errors.ts';
import type { KubeClient } from '../../harness/kube/api/client.ts';
import type { Container, Pod } from '../../harness/kube/api/types.ts';
import { playing } from '../../harness/kube/manifests/model/role.ts';
import type { ManifestPatch } from '../../harness/kube/manifests/patch.ts';
import { CheckSkipped } from '../../harness/run/suite/check.ts';
import { startControlPod } from '../../harness/run/suite/control-pod.ts';
import type { Lab } from '../../harness/run/suite/lab.ts';
import { containerStatus } from '../../harness/run/suite/release.ts';
import type { DockerClient } from './docker-client.ts';
import type { Server } from './server.ts';
import { DOCKER_DAEMON } from './suite.ts';

/** Where the documents put the socket. In many images the one folder is a link to the other. */
const FOLDERS = ['/var/run', '/run'];
export const SOCKET = 'docker.sock';

/** Namespaces that admit a Docker daemon. */
export const ADMITS_PRIVILEGED = { 'pod-security.kubernetes.io/enforce': 'privileged' };

export interface Sidecar {
  container: Container;
  /** Where its socket is. */
  mount: Mount;
  /** Where the main container mounts the same volume; `undefined` when it does not. */
  mainMount: Mount | undefined;
}

type Mount = NonNullable<Container['volumeMounts']>[number];

/**
 * The container with the Docker daemon, as rendered.
 *
 * @throws DoesNotFit when there is none, or when its socket is not in a volume at the documented place
 */
export function sidecarOf({ workload, container: main }: Server): Sidecar {
  const container = playing(
    workload.template.spec.containers.filter(
      ({ name, securityContext }) =>
        name !== main.name && (name === DOCKER_DAEMON || securityContext?.['privileged'] === true),
    ),
    {
      title: `the Docker daemon in ${workload.title}`,
      isDocumented: ({ name }) => name === DOCKER_DAEMON,
      traits: [],
      nameOf: ({ name }) => `container ${name}`,
    },
  );
  const mount = container.volumeMounts?.find(({ mountPath }) =>
    FOLDERS.includes(mountPath.replace(/\/+$/, '')),
  );
  if (!mount) throw new DoesNotFit(`container ${container.name} mounts no volume at ${FOLDERS.join(' or ')}`);
  const mainMount = main.volumeMounts?.find(({ name }) => name === mount.name);
  // The API server refuses it in the client, an ephemeral container.
  const part = [mount, mainMount].find((one) => one?.subPath !== undefined);
  if (part) throw new DoesNotFit(`a container mounts only ${part.subPath ?? ''} of volume ${part.name}`);
  return { container, mount, mainMount };
}

/** Lets the sidecar run the image that is on the nodes: the chart may name another tag. */
export function withImage({ object }: Server, { container }: Sidecar, image: string): ManifestPatch {
  const path = `/spec/template/spec/containers/[name=${container.name}]`;
  return {
    target: { kind: object.kind, name: object.metadata.name },
    ops: [
      { op: 'replace', path: `${path}/image`, value: image },
      { op: 'add', path: `${path}/imagePullPolicy`, value: 'IfNotPresent' },
    ],
  };
}

export interface Daemon {
  /** Absent when it does not answer at its socket, but on TCP. */
  version?: string | undefined;
  /** TCP ports of the pod on which it answers. */
  ports: readonly number[];
}

/**
 * Waits until the daemon answers, at its socket or on a TCP port.
 *
 * @param socket its path in the client
 * @throws WaitTimeout with what the client and the kubelet say
 */
export function daemonAnswering(
  kube: KubeClient,
  { pod, sidecar, client, socket }: { pod: Pod; sidecar: string; client: DockerClient; socket: string },
): Promise<Daemon> {
  const { name, namespace } = pod.metadata;
  return waitFor<Daemon>({
    what: `the Docker daemon in ${sidecar} of ${name} to answer`,
    timeoutMs: 90_000,
    intervalMs: 1000,
    look: async () => {
      const ports = await client.ports();
      // Asked last: the daemon opens all of its listeners at once.
      const { version, error = '' } = await client.ask(socket);
      if (version !== undefined || ports.length > 0) return { done: true, value: { version, ports } };
      const now = await kube.get('Pod', { name, namespace });
      const restarts = now ? containerStatus(now, sidecar).restartCount : 0;
      const seen = `${error} at its socket, after ${restarts} restarts`;
      return restarts > 1
        ? { done: false, seen, hopeless: 'it ends again and again' }
        : { done: false, seen };
    },
  });
}

/** The daemon may be why: the pod never became ready, or the daemon does not answer. */
export function mayBeOfTheNode(error: unknown): boolean {
  return error instanceof WaitTimeout || (error instanceof CheckFailure && error.code === 'E_ROLLOUT');
}

/**
 * Starts a daemon in a pod of its own on the node, with the same image, and waits until it answers. Not every node can run one.
 *
 * @returns what it shows, as a sentence
 * @throws CheckSkipped with its last words when it does not answer either
 */
export async function controlDaemon(lab: Lab, node: string, image: string): Promise<string> {
  const { kube } = lab;
  const namespace = await lab.namespace(ADMITS_PRIVILEGED);
  const name = 'docker';
  try {
    await startControlPod(kube, { name, namespace, node, image }, (bare) => [
      {
        ...bare,
        // The entry point of the image.
        command: [],
        args: ['dockerd', `--host=unix://${FOLDERS[0] ?? ''}/${SOCKET}`],
        securityContext: { privileged: true },
        readinessProbe: { exec: { command: ['docker', 'version'] }, periodSeconds: 1, timeoutSeconds: 5 },
        resources: {},
      },
    ]);
    return `a Docker daemon in a pod of its own on ${node} answers`;
  } catch (error) {
    if (!(error instanceof InfrastructureError)) throw error;
    const log = await kube
      .logs({ namespace, pod: name, container: name, tailLines: 1 })
      .catch(() => undefined);
    const lastly = log === undefined ? 'it has no log' : `its log ends with: ${log.trim()}`;
    throw new CheckSkipped(
      `${node} runs no Docker daemon of ${image}, not even in a pod of its own: ${messageOf(error)}; ${lastly}`,
    );
  }
}
