/** A pod beside the release, or elsewhere, that connects and can be connected to. Its image is the application's: it has Python and is on the nodes. */
import { waitFor } from '../../harness/core/deadline.ts';
import { CheckFailure } from '../../harness/core/errors.ts';
import type { Pod } from '../../harness/kube/types.ts';
import type { Release } from '../../harness/suite/release.ts';

/** Where it answers with a list of files. */
export const PYTHON_POD_PORT = 8080;

/** Seconds for a connection: what a policy denies is dropped, not refused. */
const CONNECT_SECONDS = 3;

const CONNECT = `
import socket, sys
try:
    socket.create_connection((sys.argv[1], int(sys.argv[2])), timeout=${CONNECT_SECONDS}).close()
    print("connected")
except OSError as error:
    print(error)
`;

const POST = `
import sys, urllib.error, urllib.request
request = urllib.request.Request(sys.argv[1], sys.argv[2].encode(), {"Content-Type": "application/json"})
try:
    print(urllib.request.urlopen(request, timeout=20).status)
except urllib.error.HTTPError as error:
    print(error.code)
except OSError as error:
    print(error)
`;

/** Starts one and waits until it runs; it goes with its namespace. */
export async function startPythonPod(release: Release, namespace: string, name: string): Promise<Pod> {
  const { kube } = release;
  await kube.create({
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name, namespace },
    spec: {
      terminationGracePeriodSeconds: 0,
      containers: [
        {
          name,
          image: await imageOf(release),
          command: ['python3', '-m', 'http.server', '--directory', '/tmp', String(PYTHON_POD_PORT)],
          resources: { requests: { cpu: '10m', memory: '32Mi' }, limits: { cpu: '200m', memory: '64Mi' } },
        },
      ],
    },
  });
  return waitFor({
    what: `pod ${name} in namespace ${namespace} to run`,
    timeoutMs: 60_000,
    look: async () => {
      const pod = await kube.get('Pod', { name, namespace });
      const phase = pod?.status?.phase ?? 'not there';
      return pod && phase === 'Running' ? { done: true, value: pod } : { done: false, seen: phase };
    },
  });
}

/** The image of container api. */
export async function imageOf(release: Release): Promise<string> {
  const [pod] = await release.deployment().pods();
  const image = pod?.spec.containers.find((c) => c.name === 'api')?.image;
  if (image !== undefined) return image;
  throw new CheckFailure('E_SELECTED_NOTHING', 'the release has no container api');
}

/** `connected`, or why not; from inside the first container of any pod with Python. */
export function connect(release: Release, from: Pod, host: string, port: number): Promise<string> {
  return python(release, from, CONNECT, [host, String(port)]);
}

/** Status of the answer, or why there is none. */
export function post(release: Release, from: Pod, url: string, body: unknown): Promise<string> {
  return python(release, from, POST, [url, JSON.stringify(body)]);
}

async function python({ kube }: Release, pod: Pod, script: string, args: string[]): Promise<string> {
  const { name, namespace = '' } = pod.metadata;
  const { stdout, stderr } = await kube.exec({
    namespace,
    pod: name,
    container: pod.spec.containers[0]?.name,
    command: ['python3', '-c', script, ...args],
    timeoutMs: 40_000,
  });
  return stdout.trim() || stderr.trim();
}
