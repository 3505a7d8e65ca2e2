/** Writes everything about a namespace that helps to analyze a failure after its objects are gone. */
import { join } from 'node:path';
import { stringify } from 'yaml';
import type { KindRef, KubeClient } from '../../kube/api/client.ts';
import type { KubeObject, Pod } from '../../kube/api/types.ts';
import { SECRETS_WITHOUT_RELEASES, secretsIn } from '../../kube/api/secret-values.ts';
import { writePrivateFile } from '../../core/private-files.ts';
import { Redactor, redactDeep } from '../../core/redact.ts';
import { describeWorld } from './describe.ts';
import type { Recording } from '../recorder/recording.ts';
import { eventTable } from './event-table.ts';
import { withGone } from './gone.ts';
import { readWorld } from './read-world.ts';
import { containerStatuses } from './world.ts';

interface EvidenceOptions {
  /** Knows strings that must not appear in any file, and learns the values of the namespace's Secrets. */
  redactor?: Redactor;
  /** Has the logs of pods that failed and are gone. */
  recording?: Pick<Recording, 'changes' | 'logOf'> | undefined;
  /** Time in ms since the epoch: what was gone before is left out. Default: nothing is. */
  since?: number | undefined;
}

const KINDS: readonly { file: string; kind: KindRef }[] = [
  { file: 'pods', kind: 'Pod' },
  { file: 'deployments', kind: 'Deployment' },
  { file: 'replicasets', kind: 'ReplicaSet' },
  { file: 'statefulsets', kind: 'StatefulSet' },
  { file: 'daemonsets', kind: 'DaemonSet' },
  { file: 'jobs', kind: 'Job' },
  { file: 'services', kind: 'Service' },
  { file: 'endpointslices', kind: 'EndpointSlice' },
  { file: 'configmaps', kind: 'ConfigMap' },
  { file: 'secrets', kind: 'Secret' },
  { file: 'persistentvolumeclaims', kind: 'PersistentVolumeClaim' },
  { file: 'networkpolicies', kind: { apiVersion: 'networking.k8s.io/v1', kind: 'NetworkPolicy' } },
  { file: 'poddisruptionbudgets', kind: { apiVersion: 'policy/v1', kind: 'PodDisruptionBudget' } },
  {
    file: 'horizontalpodautoscalers',
    kind: { apiVersion: 'autoscaling/v2', kind: 'HorizontalPodAutoscaler' },
  },
];

/** Only the end of longer logs is kept. */
const LOG_BYTES = 4_000_000;

/**
 * Writes objects as YAML, events as a table, the logs of every container (also of init containers and previous instances) and a summary.
 *
 * Leaves out what it cannot read. Values of Secrets appear in no file.
 *
 * @param directory created if missing
 * @returns paths of the files, relative to `directory`
 */
export async function collectEvidence(
  kube: KubeClient,
  namespace: string,
  directory: string,
  options: EvidenceOptions = {},
): Promise<string[]> {
  const { redactor = new Redactor() } = options;
  const listed = { namespace, fieldSelector: SECRETS_WITHOUT_RELEASES, timeoutMs: 10_000 };
  const secrets = await quietly(() => kube.list('Secret', listed), []);
  redactor.learn(secretsIn(secrets.map((secret) => ({ ...secret, apiVersion: 'v1', kind: 'Secret' }))));
  const { redact } = redactor;
  const written: string[] = [];
  const write = async (file: string, text: string): Promise<void> => {
    await writePrivateFile(join(directory, file), redact(text));
    written.push(file);
  };

  const live = await readWorld(kube, namespace);
  const world = options.recording ? withGone(live, options.recording, options.since) : live;
  await write('summary.txt', describeWorld(world));
  // The table joins the lines of a message, and a truncated secret is recognized by the end of its line.
  await write('events.txt', eventTable(redactDeep(world.events, redact)));
  for (const { file, kind } of KINDS) {
    const objects = await quietly(() => kube.list<KindRef>(kind, { namespace, timeoutMs: 10_000 }), []);
    if (objects.length === 0) continue;
    const named = objects.map((o) => withoutNoise(o, kind));
    await write(`${file}.yaml`, named.map((o) => stringify(redactDeep(o, redact))).join('---\n'));
  }
  for (const { pod, container, previous } of live.pods.flatMap(logSources)) {
    const read = (): Promise<string | undefined> =>
      kube.logs({ namespace, pod, container, previous, limitBytes: LOG_BYTES, timeoutMs: 15_000 });
    const text = await quietly(read, undefined);
    if (text) await write(`logs/${pod}/${container}${previous ? '.previous' : ''}.log`, text);
  }
  for (const pod of world.pods.filter((one) => !live.pods.includes(one))) {
    for (const { name } of containerStatuses(pod)) {
      const text = options.recording?.logOf(pod.metadata.name, name);
      if (text) await write(`logs/${pod.metadata.name}/${name}.log`, text);
    }
  }
  return written.sort();
}

function logSources(pod: Pod): { pod: string; container: string; previous: boolean }[] {
  return containerStatuses(pod).flatMap((status) => {
    const one = { pod: pod.metadata.name, container: status.name };
    const logs = [{ ...one, previous: false }];
    return status.restartCount > 0 ? [...logs, { ...one, previous: true }] : logs;
  });
}

/** Kind first, without managed fields and without the data of a Secret. */
function withoutNoise(object: KubeObject, kind: KindRef): Record<string, unknown> {
  const { kind: itsKind, apiVersion, metadata, ...rest } = object;
  const kept: KubeObject['metadata'] & { managedFields?: unknown } = { ...metadata };
  delete kept.managedFields;
  const annotations = { ...kept.annotations };
  // A copy of the applied object, including a Secret's data in plain text.
  delete annotations['kubectl.kubernetes.io/last-applied-configuration'];
  const body =
    kind === 'Secret'
      ? { ...rest, ...hidden(rest['data'], 'data'), ...hidden(rest['stringData'], 'stringData') }
      : rest;
  const name = itsKind || (typeof kind === 'string' ? kind : kind.kind);
  return {
    ...(apiVersion ? { apiVersion } : {}),
    kind: name,
    metadata: { ...kept, ...(kept.annotations ? { annotations } : {}) },
    ...body,
  };
}

function hidden(data: unknown, field: string): Record<string, unknown> {
  if (typeof data !== 'object' || data === null) return {};
  return { [field]: Object.fromEntries(Object.keys(data).map((key) => [key, '•••'])) };
}

async function quietly<T>(read: () => Promise<T>, otherwise: T): Promise<T> {
  try {
    return await read();
  } catch {
    return otherwise;
  }
}
