import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import type { ContainerState, ContainerStatus, KubeObject, Pod, PodSpec } from '../../kube/api/types.ts';
import type { RecordedChange } from './change.ts';
import { Recording } from './recording.ts';

const second = (s: number): string => `2026-01-01T00:00:${String(s).padStart(2, '0')}Z`;
const running = (from: number): ContainerState => ({ running: { startedAt: second(from) } });
const ended = (
  exitCode: number,
  from: number,
  to: number,
  reason = exitCode === 0 ? 'Completed' : 'Error',
) => ({
  terminated: { exitCode, reason, startedAt: second(from), finishedAt: second(to) },
});
const waiting = (reason: string): ContainerState => ({ waiting: { reason } });

interface Shown {
  ready?: boolean;
  restartCount?: number;
  lastState?: ContainerState;
}

function status(name: string, state: ContainerState, shown: Shown = {}): ContainerStatus {
  return { name, image: 'i', imageID: '', ready: false, restartCount: 0, state, ...shown };
}

describe('a recording of several namespaces', () => {
  const pod = (namespace: string, name: string): KubeObject => ({
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name, namespace, uid: name },
  });
  const recording = new Recording();
  for (const [namespace, name] of [
    ['one', 'a'],
    ['two', 'b'],
  ] as const) {
    recording.add({ at: 0, type: 'ADDED', object: pod(namespace, name) });
  }
  recording.keepLog('b', 'app', 'its last words');

  it('has a part for each, with the logs', () => {
    const part = recording.within('two');
    expect(part.pods().map(({ metadata }) => metadata.name)).toEqual(['b']);
    expect(part.logOf('b', 'app')).toBe('its last words');
  });

  it('is its own part when there is no other namespace', () => {
    const part = recording.within('two');
    expect(part.within('two')).toBe(part);
  });
});

interface PodParts {
  name?: string;
  uid?: string;
  init?: ContainerStatus[];
  main?: ContainerStatus[];
  ready?: boolean;
  node?: string;
  deleting?: boolean;
  initSpec?: PodSpec['initContainers'];
}

function podOf({
  name = 'web-1',
  uid = 'u1',
  init = [],
  main = [],
  ready,
  node,
  deleting,
  initSpec,
}: PodParts): Pod {
  const container = ({ name: of }: { name: string }) => ({ name: of, image: 'i' });
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name, uid, ...(deleting ? { deletionTimestamp: second(50) } : {}) },
    spec: {
      containers: main.length === 0 ? [{ name: 'app', image: 'i' }] : main.map(container),
      initContainers: initSpec ?? init.map(container),
      ...(node === undefined ? {} : { nodeName: node }),
    },
    status: {
      initContainerStatuses: init,
      containerStatuses: main,
      ...(ready === undefined
        ? {}
        : { conditions: [{ type: 'Ready', status: ready ? 'True' : 'False', reason: 'R' }] }),
    },
  };
}

/** A recording of these states, one every 100 ms; `gone` is recorded as DELETED. */
function record(...objects: (KubeObject | { gone: KubeObject })[]): Recording {
  const recording = new Recording();
  const seen = new Set<unknown>();
  objects.forEach((entry, index) => {
    const object = 'gone' in entry ? (entry.gone as KubeObject) : entry;
    const type = 'gone' in entry ? 'DELETED' : seen.has(object.metadata.uid) ? 'MODIFIED' : 'ADDED';
    seen.add(object.metadata.uid);
    recording.add({ at: 1000 + index * 100, type, object });
  });
  return recording;
}

const story = (recording: Recording): string[] =>
  recording.moments().map((m) => `${m.kind}${m.container === undefined ? '' : ` ${m.container}`}`);

const ok = podOf({ main: [status('app', running(5), { ready: true })], ready: true, node: 'w1' });

describe('moments', () => {
  it('covers the life of a pod', () => {
    const recording = record(
      podOf({}),
      podOf({ node: 'w1', main: [status('app', waiting('ContainerCreating'))], ready: false }),
      ok,
      podOf({ main: [status('app', running(5), { ready: true })], ready: true, node: 'w1', deleting: true }),
      { gone: podOf({ main: [status('app', ended(0, 5, 20))], ready: false, node: 'w1', deleting: true }) },
    );
    expect(story(recording)).toEqual([
      'created',
      'scheduled',
      'started app',
      'ready app',
      'ready',
      'deleting',
      'terminated app',
      'unready',
      'deleted',
    ]);
    expect(recording.moments().filter((m) => m.warning)).toEqual([]);
    expect(recording.moments()[1]).toEqual({
      at: 1100,
      pod: 'web-1',
      kind: 'scheduled',
      text: 'scheduled to w1',
      warning: false,
    });
  });

  it('reports a restart that only the counter shows', () => {
    const recording = record(
      podOf({ main: [status('app', running(5), { ready: true })] }),
      podOf({
        main: [status('app', running(9), { ready: true, restartCount: 2, lastState: ended(1, 7, 8) })],
      }),
    );
    expect(story(recording)).toEqual([
      'created',
      'started app',
      'ready app',
      'terminated app',
      'restarted app',
    ]);
    expect(recording.moments().at(-1)?.text).toBe('app restarted (restart 2, 2 times since the last update)');
  });

  it('reports an end once when two states show it', () => {
    const end = ended(1, 5, 6);
    const recording = record(
      podOf({ main: [status('app', running(5))] }),
      podOf({ main: [status('app', end)] }),
      podOf({ main: [status('app', waiting('CrashLoopBackOff'), { lastState: end })] }),
      podOf({ main: [status('app', running(9), { lastState: end, restartCount: 1 })] }),
    );
    expect(story(recording)).toEqual([
      'created',
      'started app',
      'terminated app',
      'waiting app',
      'restarted app',
    ]);
  });

  it('reports the retries of an init container', () => {
    const failed = ended(1, 1, 2);
    const recording = record(
      podOf({ init: [status('migrate', running(1))] }),
      podOf({ init: [status('migrate', failed)] }),
      podOf({ init: [status('migrate', running(4), { restartCount: 1, lastState: failed })] }),
      podOf({ init: [status('migrate', ended(0, 4, 5), { restartCount: 1, lastState: failed })] }),
    );
    expect(story(recording)).toEqual([
      'created',
      'init-started migrate',
      'init-finished migrate',
      'restarted migrate',
      'init-started migrate',
      'init-finished migrate',
    ]);
    expect(recording.moments().map((m) => m.warning)).toEqual([false, false, true, true, false, false]);
  });

  it('reports an OOM kill with its exit code', () => {
    const recording = record(podOf({ main: [status('app', ended(137, 1, 2, 'OOMKilled'))] }));
    expect(recording.moments().at(-1)).toMatchObject({
      kind: 'oom-killed',
      container: 'app',
      text: 'app was killed for using too much memory, exit code 137 (OOMKilled)',
      warning: true,
    });
  });

  it('treats a sidecar as a main container', () => {
    const initSpec = [{ name: 'proxy', image: 'i', restartPolicy: 'Always' }];
    const recording = record(podOf({ init: [status('proxy', running(1), { ready: true })], initSpec }));
    expect(story(recording)).toEqual(['created', 'started proxy', 'ready proxy']);
  });

  it('reports a repeated warning event once, with its last count', () => {
    const event = (count: number, type = 'Warning'): KubeObject => ({
      apiVersion: 'v1',
      kind: 'Event',
      metadata: { name: 'e', uid: `e-${type}` },
      involvedObject: { kind: 'Pod', name: 'web-1', fieldPath: 'spec.containers{app}' },
      type,
      reason: 'BackOff',
      message: 'Back-off restarting',
      count,
    });
    const recording = record(podOf({}), event(1), event(7), event(1, 'Normal'), { gone: event(7) });
    expect(recording.moments().slice(1)).toEqual([
      {
        at: 1100,
        pod: 'web-1',
        container: 'app',
        kind: 'event',
        text: 'BackOff: Back-off restarting ×7',
        warning: true,
      },
    ]);
    expect(recording.warningEvents({ reason: 'BackOff', about: 'web-1' })).toMatchObject([
      { count: 7, at: 1100, lastAt: 1200 },
    ]);
    expect(recording.warningEvents({ reason: 'Other' })).toEqual([]);
  });
});

describe('restarts and oomKills', () => {
  it.each([
    ['finds no restart', [podOf({ main: [status('app', running(1))] })], []],
    [
      'finds a restart before the first recorded state',
      [podOf({ main: [status('app', running(3), { restartCount: 1, lastState: ended(2, 1, 2) })] })],
      [
        {
          container: 'app',
          count: 1,
          by: 1,
          reason: 'Error',
          exitCode: 2,
          init: false,
          pod: 'web-1',
          at: 1000,
        },
      ],
    ],
    [
      'marks a restart of an init container',
      [
        podOf({ init: [status('migrate', running(1))] }),
        podOf({ init: [status('migrate', running(3), { restartCount: 1, lastState: ended(1, 1, 2) })] }),
      ],
      [{ container: 'migrate', count: 1, init: true, at: 1100 }],
    ],
    [
      'does not count a new pod with the same name',
      [podOf({ main: [status('app', running(1))] }), podOf({ uid: 'u2', main: [status('app', running(5))] })],
      [],
    ],
  ])('%s', (_title, states, expected) => {
    expect(record(...states).restarts()).toMatchObject(expected);
  });

  it('counts each kill once', () => {
    const kill = ended(137, 1, 2, 'OOMKilled');
    const again = ended(137, 4, 5, 'OOMKilled');
    const recording = record(
      podOf({ main: [status('app', kill)] }),
      podOf({ main: [status('app', running(4), { lastState: kill, restartCount: 1 })] }),
      podOf({ main: [status('app', waiting('CrashLoopBackOff'), { lastState: again, restartCount: 1 })] }),
    );
    expect(recording.oomKills().map((k) => k.at)).toEqual([1000, 1200]);
  });

  it('find nothing while the container keeps running', () => {
    const recording = record(ok, ok);
    expect(recording.oomKills()).toEqual([]);
    expect(recording.restarts()).toEqual([]);
  });
});

describe('everUnready', () => {
  const at = (ready: boolean, deleting = false): Pod => podOf({ ready, deleting });
  it.each([
    ['ignores the time before the first readiness', [at(false), at(true)], []],
    ['finds a loss that ended', [at(true), at(false), at(false), at(true)], [{ seq: 1, until: 3 }]],
    [
      'finds two losses',
      [at(true), at(false), at(true), at(false)],
      [
        { seq: 1, until: 2 },
        { seq: 3, until: undefined },
      ],
    ],
    ['ignores a pod that is being deleted', [at(true), at(false, true)], []],
    ['ignores a deletion without a grace period', [at(true), { gone: at(false) }], []],
  ])('%s', (_title, states, expected) => {
    const found = record(...states).everUnready('web-1');
    expect(found).toMatchObject(expected);
    expect(found).toHaveLength(expected.length);
  });
});

describe('endpointsOf', () => {
  const slice = (uid: string, pods: Record<string, boolean | undefined>, service = 'web'): KubeObject => ({
    apiVersion: 'discovery.k8s.io/v1',
    kind: 'EndpointSlice',
    metadata: { name: uid, uid, labels: { 'kubernetes.io/service-name': service } },
    addressType: 'IPv4',
    endpoints: Object.entries(pods).map(([name, ready]) => ({
      addresses: ['10.0.0.1'],
      conditions: ready === undefined ? {} : { ready },
      targetRef: { kind: 'Pod', name },
    })),
  });

  it('traces the set of ready pods over all slices of the Service', () => {
    const recording = record(
      slice('s1', { a: false }),
      slice('s1', { a: true }),
      slice('other', { x: true }, 'db'),
      slice('s2', { b: undefined }),
      slice('s1', { a: true }),
      { gone: slice('s1', {}) },
    );
    const trace = recording.endpointsOf('web').map(({ seq, ready }) => [seq, [...ready].join()]);
    expect(trace).toEqual([
      [1, 'a'],
      [3, 'a,b'],
      [5, 'b'],
    ]);
  });
});

describe('objects', () => {
  it('keeps the latest state of deleted pods, and separates pods with the same name', () => {
    const recording = record(podOf({}), { gone: ok }, podOf({ uid: 'u2' }));
    expect(recording.pods().map((p) => p.metadata.uid)).toEqual(['u1', 'u2']);
    expect(recording.podHistory('web-1').map((c) => c.seq)).toEqual([0, 1, 2]);
    expect(recording.podHistory('u1').map((c) => c.type)).toEqual(['ADDED', 'DELETED']);
    expect(recording.objects({ apiVersion: 'apps/v1', kind: 'Deployment' })).toEqual([]);
  });
});

describe('fromFile', () => {
  async function fileOf(text: string): Promise<string> {
    const directory = await mkdtemp(join(tmpdir(), 'kindproof-recording-'));
    onTestFinished(() => rm(directory, { recursive: true }));
    await writeFile(join(directory, 'n.jsonl'), text);
    return join(directory, 'n.jsonl');
  }
  const line = (change: RecordedChange): string => `${JSON.stringify(change)}\n`;

  it('reads a recording back without a truncated last line', async () => {
    const { changes } = record(podOf({}), ok);
    const file = await fileOf(changes.map(line).join('') + '{"seq":2,"at":1');
    expect((await Recording.fromFile(file)).changes).toEqual(changes);
  });

  it.each([
    ['a line that is not JSON', 'hello\n'],
    ['a line that is not a change', '{"seq":0}\n'],
  ])('rejects %s', async (_title, text) => {
    const file = await fileOf(text);
    await expect(Recording.fromFile(file)).rejects.toMatchObject({
      code: 'E_RECORDING',
      message: expect.stringMatching(/^line 1 of/),
    });
  });

  it('rejects a file that does not exist', async () => {
    await expect(Recording.fromFile('no/such/file')).rejects.toMatchObject({ code: 'E_RECORDING' });
  });
});
