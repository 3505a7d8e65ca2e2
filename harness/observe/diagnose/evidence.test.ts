import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { KubeClient } from '../../kube/api/client.ts';
import type { KubeObject } from '../../kube/api/types.ts';
import { Redactor } from '../../core/redact.ts';
import { Recording } from '../recorder/recording.ts';
import { collectEvidence } from './evidence.ts';
import { makeEvent, makePod } from '../../testing/sample-world.ts';

/** A client that has these objects and logs, and rejects all other reads. */
function fakeKube(objects: Record<string, KubeObject[]>, logs: Record<string, string>): KubeClient {
  const kube: Pick<KubeClient, 'list' | 'logs'> = {
    list: ((kind: string | { kind: string }) => {
      const found = objects[typeof kind === 'string' ? kind : kind.kind];
      return found ? Promise.resolve(found) : Promise.reject(new Error('forbidden'));
    }) as KubeClient['list'],
    logs: ({ pod, container, previous }) => {
      const text = logs[`${pod}/${container}${previous ? '/previous' : ''}`];
      return text === undefined ? Promise.reject(new Error('gone')) : Promise.resolve(text);
    },
  };
  return kube as KubeClient;
}

const pod = makePod({
  inits: [{ name: 'prepare', state: { terminated: { exitCode: 0 } } }],
  statuses: [
    {
      restartCount: 1,
      state: { waiting: { reason: 'CrashLoopBackOff' } },
      lastState: { terminated: { exitCode: 1 } },
    },
  ],
});
const secret: KubeObject = {
  apiVersion: 'v1',
  kind: 'Secret',
  metadata: {
    name: 'token',
    annotations: { 'kubectl.kubernetes.io/last-applied-configuration': 'all of it' },
  },
  data: { key: Buffer.from('s3cr3t-value').toString('base64') },
};
const kube = fakeKube(
  {
    Pod: [pod],
    Event: [makeEvent({ reason: 'BackOff', message: 'Back-off restarting', count: 4 })],
    Secret: [secret],
  },
  {
    'web-1/app': 'now',
    'web-1/app/previous': 'password s3cr3t-value and canary-1',
    'web-1/prepare': 'prepared',
  },
);

describe('collectEvidence', () => {
  let directory: string;
  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), 'kp-evidence-'));
  });
  afterEach(() => rm(directory, { recursive: true }));
  const read = (file: string) => readFile(join(directory, file), 'utf8');

  it('writes objects, events, the logs of all instances and a summary, and leaves out what it cannot read', async () => {
    const files = await collectEvidence(kube, 'demo', join(directory, 'new'));
    expect(files).toEqual([
      'events.txt',
      'logs/web-1/app.log',
      'logs/web-1/app.previous.log',
      'logs/web-1/prepare.log',
      'pods.yaml',
      'secrets.yaml',
      'summary.txt',
    ]);
    expect(await read('new/events.txt')).toMatch(/Warning +×4 +BackOff +Pod\/web-1 +Back-off restarting/);
    expect(await read('new/summary.txt')).toContain(
      'Pod web-1 has container app ending with exit code 1, restarted 1 time',
    );
    expect(await read('new/logs/web-1/prepare.log')).toBe('prepared');
  });

  it('writes the logs of hooks that are gone', async () => {
    const annotations = { 'helm.sh/hook': 'pre-install', 'helm.sh/hook-delete-policy': 'hook-failed' };
    const hook = makePod({
      name: 'preflight',
      phase: 'Failed',
      metadata: { annotations },
      statuses: [{ state: { terminated: { exitCode: 3 } } }],
    });
    const recording = new Recording();
    for (const type of ['ADDED', 'DELETED'] as const) recording.add({ at: 1, type, object: hook });
    recording.keepLog('preflight', 'app', 'no licence');
    const files = await collectEvidence(kube, 'demo', directory, { recording });
    expect(files).toContain('logs/preflight/app.log');
    expect(await read('logs/preflight/app.log')).toBe('no licence');
    expect(await read('summary.txt')).toContain(
      'Pod preflight is a hook (pre-install), and has container app',
    );
  });

  it('writes no secret to any file', async () => {
    const files = await collectEvidence(kube, 'demo', directory, {
      redactor: new Redactor({ values: [{ text: 'canary-1' }] }),
    });
    const all = (await Promise.all(files.map(read))).join('\n');
    expect(all).not.toMatch(/s3cr3t-value|canary-1|all of it/);
    expect(all).not.toContain(secret['data'] && Buffer.from('s3cr3t-value').toString('base64'));
    expect(all).toContain('password ••• and •••');
  });
});
