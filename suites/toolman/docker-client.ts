/**
 * A client of a Docker daemon beside the containers of a pod: it calls the daemon with the ids of any of them. The image of the server need
 * not have a client.
 */
import { z } from 'zod';
import { mcpClientImage } from '../../fixtures/images/mcp-server.ts';
import { InfrastructureError, InterruptedError, messageOf } from '../../harness/core/errors.ts';
import { clip } from '../../harness/core/wording.ts';
import type { KubeClient } from '../../harness/kube/api/client.ts';
import type { Container, Pod } from '../../harness/kube/api/types.ts';
import { containerRunning } from '../../harness/observe/waits/containers.ts';
import { addEphemeralContainer } from '../pods/ephemeral-container.ts';

/** Ids of a process. */
export interface Identity {
  uid: number;
  gid: number;
  supplementalGroups: readonly number[];
}

const answerSchema = z.object({
  /** Of the socket; absent when there is none at the path. */
  socket: z.object({ gid: z.number(), mode: z.number() }).optional(),
  /** What the daemon says about itself; absent when it did not answer. */
  version: z.string().optional(),
  /** Why it did not: `ENOENT`, `EACCES`, `ECONNREFUSED`. */
  error: z.string().optional(),
});

export type DockerAnswer = z.infer<typeof answerSchema>;

export interface DockerClient {
  /** Asks the daemon at a socket with these ids; by default as root, whom the socket belongs to. */
  ask(socket: string, as?: Identity): Promise<DockerAnswer>;
  /** The TCP ports of the pod on which a daemon answers without TLS. */
  ports(): Promise<number[]>;
}

const NAME = 'docker-client';

/**
 * Only a daemon answers /_ping with the version of its API. The ids are taken on before the call, so that the kernel decides as it does
 * for any process that has them. 0A: the port is listened on.
 */
const PROGRAM = `
const fs = require('node:fs'), http = require('node:http');
const { socketPath, as } = JSON.parse(process.argv[1]);
const get = (target, path) => new Promise((resolve, reject) => {
  const request = http.get({ ...target, path, agent: false, timeout: 10000 }, (answer) => {
    let body = '';
    answer.on('data', (data) => (body += data)).on('error', reject).on('end', () => resolve({ headers: answer.headers, body }));
  });
  request.on('timeout', () => request.destroy(new Error('no answer within 10 s'))).on('error', reject);
});
const isDaemon = async (target) => 'api-version' in (await get(target, '/_ping')).headers;
const ask = async () => {
  const { gid, mode } = fs.statSync(socketPath);
  const socket = { gid, mode: mode & 0o7777 };
  if (as) {
    process.setgroups(as.supplementalGroups);
    process.setgid(as.gid);
    process.setuid(as.uid);
  }
  try {
    if (!(await isDaemon({ socketPath }))) return { socket, error: 'another program answers' };
    return { socket, version: JSON.parse((await get({ socketPath }, '/version')).body).Version };
  } catch (error) {
    return { socket, error: error.code ?? error.message };
  }
};
const ports = async () => {
  const lines = ['tcp', 'tcp6'].flatMap((name) => fs.readFileSync('/proc/net/' + name, 'utf8').split('\\n').slice(1));
  const listening = lines.map((line) => line.trim().split(/ +/)).filter((fields) => fields[3] === '0A');
  const numbers = [...new Set(listening.map((fields) => parseInt(fields[1].split(':')[1], 16)))];
  const asked = await Promise.all(numbers.map((port) => isDaemon({ host: '127.0.0.1', port }).catch(() => false)));
  return numbers.filter((_, at) => asked[at]);
};
(socketPath ? ask().catch((error) => ({ error: error.code ?? error.message })) : ports()).then((answer) => console.log(JSON.stringify(answer)));
`;

/**
 * Adds the client to a running pod, with these mounts of its volumes. It can take on the ids of every container, and has no other right.
 *
 * @throws InfrastructureError `E_OWN_CONTAINER` when it does not do what it is there for
 */
export async function startDockerClient(
  kube: KubeClient,
  pod: Pod,
  volumeMounts: NonNullable<Container['volumeMounts']>,
): Promise<DockerClient> {
  const spec = {
    name: NAME,
    image: mcpClientImage.ref,
    imagePullPolicy: 'IfNotPresent',
    command: ['sleep', '3600'],
    volumeMounts,
    securityContext: {
      runAsNonRoot: false,
      runAsUser: 0,
      runAsGroup: 0,
      allowPrivilegeEscalation: false,
      capabilities: { drop: ['ALL'], add: ['SETUID', 'SETGID'] },
    },
  };
  try {
    await addEphemeralContainer(kube, pod, spec);
    await containerRunning(kube, pod, NAME);
  } catch (cause) {
    if (cause instanceof InterruptedError) throw cause;
    const message = `container ${NAME} of the check does not run in pod ${pod.metadata.name}: ${messageOf(cause)}`;
    throw new InfrastructureError('E_OWN_CONTAINER', message, { cause });
  }
  const run = async <T>(task: object, schema: z.ZodType<T>): Promise<T> => {
    const { stdout, stderr, exitCode } = await kube.exec({
      namespace: pod.metadata.namespace ?? '',
      pod: pod.metadata.name,
      container: NAME,
      command: ['node', '-e', PROGRAM, JSON.stringify(task)],
      timeoutMs: 60_000,
    });
    try {
      return schema.parse(JSON.parse(stdout));
    } catch (cause) {
      const said = clip(stderr.trim() || stdout.trim(), 200);
      const message = `container ${NAME} of pod ${pod.metadata.name} ended with exit code ${exitCode}: ${said}`;
      throw new InfrastructureError('E_OWN_CONTAINER', message, { cause });
    }
  };
  return {
    ask: (socketPath, as) => run({ socketPath, as }, answerSchema),
    ports: () => run({}, z.array(z.number())),
  };
}
