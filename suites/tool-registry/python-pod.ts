/** A pod that opens and accepts connections. It uses the application's image, which has Python and is already on the nodes. */
import { waitFor } from '../../harness/core/deadline.ts';
import { CheckFailure } from '../../harness/core/errors.ts';
import type { Pod } from '../../harness/kube/api/types.ts';
import { startBarePod } from '../../harness/run/suite/bare-pod.ts';
import { containerNamed, type Release } from '../../harness/run/suite/release.ts';
import { rolesOf, serverPod } from './roles.ts';

/** A host, by name or address, and a port. */
export interface Destination {
  host: string;
  port: number;
}

/** The port of its HTTP server. */
export const PYTHON_POD_PORT = 8080;

/** Seconds for a connection: packets that a policy denies are dropped, not refused. */
const CONNECT_SECONDS = 3;

/** For a busy node to start the pod. */
const START_MS = 120_000;

/** For one script. Without a name server the resolver gives up after 20 s. */
const SCRIPT_MS = 60_000;

/** For the nodes of a busy machine to learn of a Service, an endpoint or a policy. */
const UNTIL_MS = 60_000;

/** Failures in a row that count as denied. With a name that cannot be resolved each takes as long as the resolver. */
const DENIALS = 2;

const CONNECTED = 'connected';

const CONNECT = `
import socket, sys
try:
    socket.create_connection((sys.argv[1], int(sys.argv[2])), timeout=${CONNECT_SECONDS}).close()
    print("${CONNECTED}")
except OSError as error:
    print(error)
`;

const POST = `
import http.client, sys, urllib.error, urllib.request
request = urllib.request.Request(sys.argv[1], sys.argv[2].encode(), {"Content-Type": "application/json"})
try:
    print(urllib.request.urlopen(request, timeout=20).status)
except urllib.error.HTTPError as error:
    print(error.code)
except (OSError, http.client.HTTPException) as error:
    print(error)
`;

/** Starts the pod and waits until it accepts connections; it is deleted with its namespace. */
export async function startPythonPod(release: Release, namespace: string, name: string): Promise<Pod> {
  const pod = {
    name,
    namespace,
    image: await imageOf(release),
    command: ['python3', '-m', 'http.server', '--directory', '/tmp', String(PYTHON_POD_PORT)],
    port: PYTHON_POD_PORT,
  };
  return startBarePod(release.kube, pod, { timeoutMs: START_MS });
}

/** The image of the container that serves. */
export async function imageOf(release: Release): Promise<string> {
  const pod = await serverPod(release);
  return containerNamed(pod.spec, rolesOf(release).server.name, 'the release').image;
}

/** Connects from the first container of any pod with Python; returns `connected`, or why it failed. */
export function connect(release: Release, from: Pod, { host, port }: Destination): Promise<string> {
  return python(release, from, CONNECT, [host, String(port)]);
}

/**
 * Waits until a connection is accepted: each node learns of a new Service and its endpoints separately.
 *
 * @param route completes the sentence "waited for connections …": "from api to the database"
 */
export function connectionAccepted(
  release: Release,
  from: Pod,
  to: Destination,
  route: string,
): Promise<void> {
  const ask = (): Promise<string> => connect(release, from, to);
  return untilAnswer(`connections ${route} to be accepted`, ask, (answer) => answer === CONNECTED);
}

/**
 * Waits until connections fail: a network plug-in takes a moment to apply a new policy, or a policy to a new pod.
 *
 * Two have to fail in a row: a single one may fail because the machine is busy.
 *
 * @param route as for `connectionAccepted`
 */
export function connectionDenied(release: Release, from: Pod, to: Destination, route: string): Promise<void> {
  const ask = (): Promise<string> => connect(release, from, to);
  let denied = 0;
  return untilAnswer(`the policy to deny connections ${route}`, ask, (answer) => {
    denied = answer === CONNECTED ? 0 : denied + 1;
    return denied >= DENIALS;
  });
}

/** Waits until a POST request is answered with status 200; `what` completes the sentence "waited for … to be answered 200". */
export function postAnswered(
  release: Release,
  from: Pod,
  { url, body }: { url: string; body: unknown },
  what: string,
): Promise<void> {
  const ask = (): Promise<string> => python(release, from, POST, [url, JSON.stringify(body)]);
  return untilAnswer(`${what} to be answered 200`, ask, (answer) => answer === '200');
}

function untilAnswer(
  what: string,
  ask: () => Promise<string>,
  holds: (answer: string) => boolean,
): Promise<void> {
  return waitFor({
    what,
    timeoutMs: UNTIL_MS,
    look: async () => {
      const answer = await ask();
      return holds(answer) ? { done: true, value: undefined } : { done: false, seen: answer };
    },
  });
}

/** @throws CheckFailure `E_EXEC` when the script itself fails: that says nothing about the connection */
async function python(release: Release, pod: Pod, script: string, args: string[]): Promise<string> {
  const { name, namespace = '' } = pod.metadata;
  const { exitCode, stdout, stderr } = await release.kube.exec({
    namespace,
    pod: name,
    container: pod.spec.containers[0]?.name,
    command: ['python3', '-c', script, ...args],
    timeoutMs: SCRIPT_MS,
  });
  if (exitCode === 0) return stdout.trim();
  throw new CheckFailure('E_EXEC', `python3 in pod ${name} exited with ${exitCode}: ${stderr.trim()}`);
}
