/** The run's secrets appear in the Secret only. Their values are unique, so any other text that contains one is a leak. */
import { readdir, readFile } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { containsNoSecret, type Place } from '../../../harness/observe/predicates/live/secrets.ts';
import type { KubeObject } from '../../../harness/kube/api/types.ts';
import { nameOf } from '../../../harness/kube/manifests/objects.ts';
import { expect } from '../../../harness/run/suite/assertions.ts';
import type { Release } from '../../../harness/run/suite/release.ts';
import { registryApi } from '../api/api-client.ts';
import { requirement } from '../kit.ts';
import { serverPods } from '../roles.ts';

/** Kinds that are widely readable, unlike Secrets. */
const SHOWN = ['Pod', 'Deployment', 'ReplicaSet', 'Service', 'ConfigMap', 'Event', 'EndpointSlice'] as const;

/** Public paths. */
const PUBLIC = ['/', '/health', '/ready', '/metrics', '/openapi.json'];

/** Wrong requests, because their answers explain the error to the client. */
const WRONG_REQUESTS = [
  ['GET', '/nothing', undefined],
  ['POST', '/mcp/find_tool', { query: '' }],
  ['POST', '/mcp/call_tool', { name: 'no-such-tool', arguments: {} }],
  ['DELETE', '/admin/tools/0', undefined],
] as const;

requirement(
  ['R-40', 'X-08'],
  'keeps its secrets out of logs, events, objects and answers, and so does the run in its own files',
  async ({ release, lab, observe }) => {
    const { password, apiKey } = release.environment;
    const secrets = {
      'database password': password,
      ...(apiKey === undefined ? {} : { 'embedding API key': apiKey }),
    };
    const places = {
      logs: await logsOf(release),
      objects: await objectsOf(release),
      answers: await answersOf(release),
      recording: [
        { title: 'the recording', text: JSON.stringify((await release.settleRecording()).changes) },
      ],
      files: await filesIn(lab.runDirectory),
    };
    for (const [kind, found] of Object.entries(places)) {
      await expect(containsNoSecret(found, secrets)).toHold();
      observe(`${kind}: ${found.length}`);
    }
  },
);

/** The logs of all containers, and of their previous instances where they were restarted. */
async function logsOf(release: Release): Promise<Place[]> {
  const { kube, namespace } = release;
  const places: Place[] = [];
  for (const { metadata, status } of await release.pods()) {
    for (const { name, restartCount } of [
      ...(status?.initContainerStatuses ?? []),
      ...(status?.containerStatuses ?? []),
    ]) {
      for (const previous of restartCount > 0 ? [false, true] : [false]) {
        const text = await kube.logs({ namespace, pod: metadata.name, container: name, previous });
        if (text !== undefined)
          places.push({ title: `the log of container ${name} in ${metadata.name}`, text });
      }
    }
  }
  return places;
}

async function objectsOf({ kube, namespace }: Release): Promise<Place[]> {
  const lists: KubeObject[][] = await Promise.all(SHOWN.map((kind) => kube.list(kind, { namespace })));
  return lists.flatMap((objects, index) =>
    objects.map((object) => ({
      title: nameOf({ ...object, kind: SHOWN[index] ?? '' }),
      text: JSON.stringify(object, undefined, 1),
    })),
  );
}

async function answersOf(release: Release): Promise<Place[]> {
  const requests = [...PUBLIC.map((path) => ['GET', path, undefined] as const), ...WRONG_REQUESTS];
  const places: Place[] = [];
  for (const pod of await serverPods(release)) {
    const api = registryApi(release, pod);
    for (const [method, path, body] of requests) {
      const answer = await api.ask(method, path, body);
      places.push({
        title: `the answer ${answer.status} of ${api.title} to ${method} ${path}`,
        text: JSON.stringify(answer.headers) + answer.body,
      });
    }
  }
  return places;
}

/** The run's log, recordings, reports and the artifacts of failed checks, as far as they exist. */
async function filesIn(directory: string): Promise<Place[]> {
  const entries = await readdir(directory, { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
  return Promise.all(
    files.map(async (file) => ({
      title: `file ${relative(directory, file)} of the run`,
      // Other checks write and remove files meanwhile.
      text: await readFile(file, 'utf8').catch(() => ''),
    })),
  );
}
