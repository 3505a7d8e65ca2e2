import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import { silentLog } from '../../core/log.ts';
import { createRedactor, type Redact } from '../../core/redact.ts';
import type { KubeClient } from '../../kube/api/client.ts';
import { FakeApiServer, sendStatus } from '../../testing/fake-api-server.ts';
import { createKubeClient } from '../../kube/api/http-client.ts';
import type { KubeObject } from '../../kube/api/types.ts';
import type { Recorder } from './recorder.ts';
import { RECORDED_KINDS, startRecorder } from './recorder.ts';
import { Recording } from './recording.ts';

const pods = '/api/v1/namespaces/n/pods';
const pod = (name: string, env = 'plain'): KubeObject => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name, namespace: 'n', managedFields: [{ manager: 'm' }] } as KubeObject['metadata'],
  spec: { containers: [{ name: 'app', env: [{ name: 'PASSWORD', value: env }] }] },
});

let server: FakeApiServer;
let kube: KubeClient;

beforeAll(async () => {
  server = await FakeApiServer.start();
});
beforeEach(async () => {
  kube = await createKubeClient({ kubeconfig: server.kubeconfig });
});
afterEach(async () => {
  await kube.close();
  server.reset();
});
afterAll(() => server.stop());

async function start(options: { file?: string; redact?: Redact } = {}): Promise<Recorder> {
  const recorder = await startRecorder({ kube, namespace: 'n', log: silentLog, ...options });
  await recorder.synced;
  return recorder;
}

const changesOf = ({ recording }: Recorder): string[] =>
  recording.changes.map((c) => `${c.seq} ${c.type} ${c.object.kind} ${c.object.metadata.name}`);

describe('startRecorder', () => {
  it('records existing and new objects, and is complete after flush', async () => {
    server.put(pods, pod('a'));
    const recorder = await start();
    server.put(pods, pod('b'));
    server.put('/apis/batch/v1/namespaces/n/jobs', {
      apiVersion: 'batch/v1',
      kind: 'Job',
      metadata: { name: 'j' },
    });
    server.remove(pods, 'a');
    await recorder.flush();
    expect(changesOf(recorder)).toHaveLength(4);
    expect(changesOf(recorder)).toEqual(
      expect.arrayContaining([
        expect.stringMatching(/ADDED Pod a$/),
        expect.stringMatching(/ADDED Pod b$/),
        expect.stringMatching(/ADDED Job j$/),
        expect.stringMatching(/DELETED Pod a$/),
      ]),
    );
    expect(recorder.recording.changes.map((c) => c.seq)).toEqual([0, 1, 2, 3]);
    expect(recorder.recording.changes[0]?.object.metadata).not.toHaveProperty('managedFields');
    await recorder.stop();
  });

  it('is complete after flush when the connection broke', async () => {
    const recorder = await start();
    server.put(pods, pod('a'));
    server.cutConnections();
    server.put(pods, pod('a', 'changed'));
    server.put(pods, pod('b'));
    await recorder.flush();
    expect(changesOf(recorder).at(-1)).toMatch(/Pod b$/);
    await recorder.stop();
  });

  it('never requests Secrets', async () => {
    const recorder = await start();
    await recorder.stop();
    expect(RECORDED_KINDS).not.toContain('Secret');
    expect(server.requests.filter((r) => r.path.includes('secrets'))).toEqual([]);
  });

  it('writes every change to the file, with secrets redacted', async () => {
    const directory = await mkdtemp(join(tmpdir(), 'kindproof-recorder-'));
    onTestFinished(() => rm(directory, { recursive: true }));
    const file = join(directory, 'deep', 'n.jsonl');
    const recorder = await start({ file, redact: createRedactor(['s3cr"et/canary']) });
    server.put(pods, pod('a', 'postgres://u:s3cr"et/canary@db'));
    await recorder.flush();
    await recorder.stop();
    await recorder.stop();
    expect(await readFile(file, 'utf8')).not.toContain('s3cr');
    const again = await Recording.fromFile(file);
    const value = (recording: Recording) => recording.pods()[0]?.spec.containers[0]?.env?.[0]?.value;
    expect(value(again)).toMatch(/^postgres:\/\/u:.+@db$/);
    expect(value(recorder.recording)).toBe('postgres://u:s3cr"et/canary@db');
  });

  it('rejects when the API server forbids a watch', async () => {
    server.answer(pods, (_request, response) => {
      sendStatus(response, 403, 'Forbidden', 'no pods for you');
    });
    const recorder = await startRecorder({ kube, namespace: 'n', log: silentLog });
    await expect(recorder.synced).rejects.toMatchObject({ status: 403 });
    await expect(recorder.flush()).rejects.toMatchObject({ status: 403 });
    await recorder.stop();
  });
});

describe('the logs of pods that are deleted when they fail', () => {
  const failed = (owner?: string): KubeObject => ({
    ...pod('hook'),
    metadata: {
      name: 'hook',
      namespace: 'n',
      ...(owner === undefined
        ? { annotations: { 'helm.sh/hook': 'test' } }
        : { ownerReferences: [{ kind: owner, name: 'o', uid: 'u' }] }),
    },
    status: {
      phase: 'Failed',
      containerStatuses: [
        { name: 'app', restartCount: 0, state: { terminated: { exitCode: 3, containerID: 'c' } } },
      ],
    },
  });
  const reads = () => server.requests.filter(({ path }) => path.endsWith('/hook/log'));

  it.each([['Job'], [undefined]])('are read once, while the pod exists (owner: %s)', async (owner) => {
    server.answer(`${pods}/hook/log`, (_, response) => response.end('LICENCE_KEY is missing\n'));
    const recorder = await start();
    server.put(pods, failed(owner));
    await recorder.flush();
    server.put(pods, { ...failed(owner), metadata: { ...failed(owner).metadata, labels: { a: 'b' } } });
    server.remove(pods, 'hook');
    await recorder.flush();
    expect(recorder.recording.logOf('hook', 'app')).toBe('LICENCE_KEY is missing\n');
    expect(reads()).toHaveLength(1);
    await recorder.stop();
  });

  it('are read of a hook that is deleted while it runs', async () => {
    server.answer(`${pods}/hook/log`, (_, response) => response.end('waiting for db\n'));
    const recorder = await start();
    const running = failed();
    running['status'] = { containerStatuses: [{ name: 'app', restartCount: 0, state: { running: {} } }] };
    server.put(pods, running);
    await recorder.flush();
    expect(reads()).toEqual([]);
    running.metadata.deletionTimestamp = '2026-03-01T12:00:00Z';
    server.put(pods, running);
    await recorder.flush();
    expect(recorder.recording.logOf('hook', 'app')).toBe('waiting for db\n');
    await recorder.stop();
  });

  it('are not read of pods that are replaced: they stay', async () => {
    const recorder = await start();
    server.put(pods, failed('ReplicaSet'));
    await recorder.flush();
    expect(reads()).toEqual([]);
    await recorder.stop();
  });

  it('may be gone already', async () => {
    server.answer(`${pods}/hook/log`, (_, response) => sendStatus(response, 404, 'NotFound', 'gone'), 9);
    const recorder = await start();
    server.put(pods, failed());
    await recorder.flush();
    expect(recorder.recording.logOf('hook', 'app')).toBeUndefined();
    await recorder.stop();
  });
});
