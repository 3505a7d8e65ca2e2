/** A pod beside the release, or elsewhere, that connects and can be connected to. Its image is the application's: it has Python and is on the nodes. */
import { waitFor } from '../../harness/core/deadline.ts';
import { CheckFailure } from '../../harness/core/errors.ts';
import type { Pod } from '../../harness/kube/api/types.ts';
import { startBarePod } from '../../harness/run/suite/bare-pod.ts';
import type { Release } from '../../harness/run/suite/release.ts';

/** A host, by name or address, and a port of it. */
export interface Destination {
  host: string;
  port: number;
}

/** Where it answers with a list of files. */
export const PYTHON_POD_PORT = 8080;

/** Seconds for a connection: what a policy denies is dropped, not refused. */
const CONNECT_SECONDS = 3;

/** How long a node that is busy may take to start it. */
const START_MS = 120_000;

/** For one script. Where no name server answers, the resolver takes 20 s to say so. */
const SCRIPT_MS = 60_000;

/** How long the nodes of a busy machine may take to hear of a Service, an endpoint or a policy. */
const UNTIL_MS = 60_000;

/** Failures in a row that tell of a denial. With a name that cannot be resolved each takes as long as the resolver. */
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

/** Starts one and waits until it answers; it goes with its namespace. */
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

/** The image of container api. */
export async function imageOf(release: Release): Promise<string> {
  const [pod] = await release.deployment().pods();
  const image = pod?.spec.containers.find((c) => c.name === 'api')?.image;
  if (image !== undefined) return image;
  throw new CheckFailure('E_SELECTED_NOTHING', 'the release has no container api');
}

/** `connected`, or why not; from inside the first container of any pod with Python. */
export function connect(release: Release, from: Pod, { host, port }: Destination): Promise<string> {
  return python(release, from, CONNECT, [host, String(port)]);
}

/**
 * Waits until a connection is accepted: each node comes by itself to a new Service, and to who is behind it.
 *
 * @param way completes the sentence "waited for the way … to be open"
 */
export function untilOpen(release: Release, from: Pod, to: Destination, way: string): Promise<void> {
  const ask = (): Promise<string> => connect(release, from, to);
  return untilSaid(`the way ${way} to be open`, ask, (answer) => answer === CONNECTED);
}

/**
 * Waits until no connection comes about: a network plug-in takes a moment to see a new policy, and a new pod.
 *
 * Not once but twice in a row: a single one may fail on a machine that is busy.
 */
export function untilDenied(release: Release, from: Pod, to: Destination, way: string): Promise<void> {
  const ask = (): Promise<string> => connect(release, from, to);
  let denied = 0;
  return untilSaid(`the policy to deny the way ${way}`, ask, (answer) => {
    denied = answer === CONNECTED ? 0 : denied + 1;
    return denied >= DENIALS;
  });
}

/** Waits until what is posted is answered with status 200; `what` completes the sentence "waited for … to be answered 200". */
export function untilAnswered(
  release: Release,
  from: Pod,
  { url, body }: { url: string; body: unknown },
  what: string,
): Promise<void> {
  const ask = (): Promise<string> => python(release, from, POST, [url, JSON.stringify(body)]);
  return untilSaid(`${what} to be answered 200`, ask, (answer) => answer === '200');
}

function untilSaid(
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

/** @throws CheckFailure `E_EXEC` when the script itself breaks: that is no answer, neither a good nor a bad one */
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
