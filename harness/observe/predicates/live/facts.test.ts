import { describe, expect, it } from 'vitest';
import { ago, makeDeployment, makePod } from '../../../testing/sample-world.ts';
import type { ConfigMap, ContainerStatus } from '../../../kube/api/types.ts';
import { Recording } from '../../recorder/recording.ts';
import { configMapEquals } from './config.ts';
import { consistency, consistently, readinessUnmoved } from './consistency.ts';
import { imageIdMatches, noPulling } from './image.ts';
import { initOrder } from './order.ts';
import { cgroupMatches } from './resources.ts';
import { noRestartsNoOom, warningEvents } from './restarts.ts';
import { allContainersReady, replicas, selectorSelectsExactly } from './workload.ts';

const MiB = 2 ** 20;

describe('replicas', () => {
  const status = { replicas: 2, updatedReplicas: 2, readyReplicas: 2, availableReplicas: 2 };
  const pods = [makePod({ name: 'a' }), makePod({ name: 'b' })];
  it.each([
    ['as wanted', 2, { replicas: 2 }, status, pods, true],
    ['the spec asks for another number', 3, { replicas: 2 }, status, pods, false],
    ['one is not available', 2, { replicas: 2 }, { ...status, availableReplicas: 1 }, pods, false],
    ['a pod too few', 2, { replicas: 2 }, status, pods.slice(1), false],
  ])('%s', (_, wanted, spec, state, own, ok) => {
    expect(replicas(makeDeployment({ ...spec, status: state }), own, wanted).ok).toBe(ok);
  });
});

describe('allContainersReady', () => {
  const spec = {
    containers: [
      { name: 'app', image: 'a' },
      { name: 'dind', image: 'd' },
    ],
    initContainers: [{ name: 'side', image: 's', restartPolicy: 'Always' }],
  };
  const ready = [
    { name: 'app', ready: true },
    { name: 'dind', ready: true },
  ];
  it('looks at sidecars of both kinds', () => {
    expect(
      allContainersReady([makePod({ spec, statuses: ready, inits: [{ name: 'side', ready: true }] })]).ok,
    ).toBe(true);
    expect(
      allContainersReady([makePod({ spec, statuses: ready, inits: [{ name: 'side', ready: false }] })]).ok,
    ).toBe(false);
  });
  it('says what a container does instead, and misses one without a status', () => {
    const statuses: Partial<ContainerStatus>[] = [
      { name: 'app', restartCount: 4, state: { waiting: { reason: 'CrashLoopBackOff' } } },
    ];
    expect(allContainersReady([makePod({ spec, statuses })]).details).toEqual([
      'web-1/app is waiting: CrashLoopBackOff, 4 restarts',
      'web-1/dind has no status',
      'web-1/side has no status',
    ]);
  });
});

describe('selectorSelectsExactly', () => {
  const [a, b] = [makePod({ name: 'a' }), makePod({ name: 'b' })];
  it.each([
    [[a, b], [a, b], true],
    [[a], [a, b], false],
    [[a, b], [a], false],
    [[], [], false],
  ])('%#', (selected, own, ok) => {
    expect(selectorSelectsExactly('app=web', selected, own).ok).toBe(ok);
  });
});

describe('configMapEquals', () => {
  const configMap: ConfigMap = {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name: 'c' },
    data: { 'a.json': '{\n "x": 1\n}' },
    binaryData: { bin: 'AAE=' },
  };
  const mounted = (files: Record<string, string | Uint8Array>) => [{ pod: 'p', files }];
  it.each([
    ['equal', mounted({ 'a.json': '{\n "x": 1\n}', bin: new Uint8Array([0, 1]) }), {}, true],
    ['another byte', mounted({ 'a.json': '{\n "x": 2\n}' }), {}, false],
    ['a file that is no key', mounted({ other: '' }), {}, false],
    ['a key without its file', mounted({}), { keys: ['a.json'] }, false],
    ['no replicas', [], { keys: ['a.json'] }, false],
  ])('%s', (_, replicasFiles, options, ok) => {
    expect(configMapEquals(configMap, replicasFiles, options).ok).toBe(ok);
  });
  it('shows the first line that differs', () => {
    expect(configMapEquals(configMap, mounted({ 'a.json': '{\n "x": 2\n}' })).details).toEqual([
      'p: a.json differs from line 2: expected " \\"x\\": 1", found " \\"x\\": 2" (11 and 11 bytes)',
    ]);
  });
});

describe('cgroupMatches', () => {
  const limits = { cpu: '500m', memory: '256Mi' };
  it.each([
    ['equal', limits, { limitBytes: 256 * MiB, quotaUs: 50_000, periodUs: 100_000 }, true],
    ['another memory limit', limits, { limitBytes: 512 * MiB, quotaUs: 50_000, periodUs: 100_000 }, false],
    ['no CPU quota', limits, { limitBytes: 256 * MiB, quotaUs: undefined, periodUs: 100_000 }, false],
    ['no limits on either side', {}, { limitBytes: undefined, quotaUs: undefined, periodUs: 100_000 }, true],
    ['a limit nobody asked for', {}, { limitBytes: MiB, quotaUs: undefined, periodUs: 100_000 }, false],
    [
      'whole pages',
      { memory: '100000000' },
      { limitBytes: 99_999_744, quotaUs: undefined, periodUs: 100_000 },
      true,
    ],
    ['the smallest quota', { cpu: '1m' }, { limitBytes: undefined, quotaUs: 1000, periodUs: 100_000 }, true],
  ])('%s', (_, given, cgroup, ok) => {
    expect(cgroupMatches({ limits: given }, cgroup).ok).toBe(ok);
  });
});

describe('noRestartsNoOom', () => {
  const quiet = { restarts: () => [], oomKills: () => [] };
  const pod = makePod({ statuses: [{ ready: true }] });
  it.each([
    ['nothing happened', pod, [], true],
    ['a restart before the recording', makePod({ statuses: [{ restartCount: 1 }] }), [], false],
    [
      'a killed child that only the cgroup knows of',
      pod,
      [{ pod: 'web-1', container: 'app', oomKills: 1 }],
      false,
    ],
    ['no containers to look at', makePod({}), [], false],
  ])('%s', (_, one, kills, ok) => {
    expect(noRestartsNoOom(quiet, [one], kills).ok).toBe(ok);
  });
  it('knows of restarts and kills that the recording saw', () => {
    const recording = new Recording();
    const at = 1;
    recording.add({ at, type: 'ADDED', object: makePod({ statuses: [{ state: { running: {} } }] }) });
    recording.add({
      at,
      type: 'MODIFIED',
      object: makePod({
        statuses: [
          {
            restartCount: 1,
            lastState: { terminated: { exitCode: 137, reason: 'OOMKilled' } },
            state: { running: {} },
          },
        ],
      }),
    });
    expect(noRestartsNoOom(recording, [pod]).details).toEqual([
      'web-1/app restarted (OOMKilled, exit code 137)',
      'web-1/app was OOM-killed',
    ]);
  });
});

describe('events of a recording', () => {
  const event = (reason: string, message: string, type: 'Warning' | 'Normal' = 'Warning') => ({
    at: 1,
    type: 'ADDED' as const,
    object: {
      apiVersion: 'v1',
      kind: 'Event',
      metadata: { name: `e-${reason}`, uid: reason },
      involvedObject: { kind: 'Pod', name: 'web-1' },
      reason,
      message,
      type,
    },
  });
  const recorded = (...events: ReturnType<typeof event>[]) => {
    const recording = new Recording();
    for (const e of events) recording.add(e);
    return recording;
  };
  it.each([
    ['none of the reasons', recorded(event('Unhealthy', 'Startup probe failed: x')), /^Startup/, true],
    ['one of them', recorded(event('Unhealthy', 'Liveness probe failed: x')), /^Startup/, false],
    ['an empty recording', recorded(), /x/, false],
  ])('warningEvents: %s', (_, recording, except, ok) => {
    expect(warningEvents(recording, ['Unhealthy', 'BackOff'], { except }).ok).toBe(ok);
  });
  it.each([
    [
      'only images that were there',
      recorded(event('Pulled', 'Container image "a" already present on machine', 'Normal')),
      true,
    ],
    [
      'a pull',
      recorded(event('Pulling', 'Pulling image "a"', 'Normal'), event('Pulled', 'pulled', 'Normal')),
      false,
    ],
    ['nothing about images', recorded(), false],
  ])('noPulling: %s', (_, recording, ok) => {
    expect(noPulling(recording, [makePod({})]).ok).toBe(ok);
  });
});

describe('imageIdMatches', () => {
  const pod = makePod({ statuses: [{ imageID: 'docker.io/library/web@sha256:abc' }] });
  it.each([
    ['app', 'sha256:abc', true],
    ['app', ['sha256:def', 'sha256:abc'], true],
    ['app', 'sha256:def', false],
    ['other', 'sha256:abc', false],
  ])('%s %j', (container, digest, ok) => {
    expect(imageIdMatches([pod], container, digest).ok).toBe(ok);
  });
});

describe('initOrder', () => {
  const spec = { initContainers: [{ name: 'prepare', image: 'i' }] };
  const ended = (exitCode: number, finishedAt: string) => [
    { name: 'prepare', state: { terminated: { exitCode, startedAt: ago(40), finishedAt } } },
  ];
  const started = (startedAt: string) => [{ state: { running: { startedAt } } }];
  it.each([
    ['in order', makePod({ spec, inits: ended(0, ago(30)), statuses: started(ago(20)) }), true],
    ['within the same second', makePod({ spec, inits: ended(0, ago(30)), statuses: started(ago(30)) }), true],
    ['too early', makePod({ spec, inits: ended(0, ago(20)), statuses: started(ago(30)) }), false],
    ['with an error', makePod({ spec, inits: ended(1, ago(30)), statuses: started(ago(20)) }), false],
    ['without init containers', makePod({ statuses: started(ago(20)) }), false],
  ])('%s', (_, pod, ok) => {
    expect(initOrder(pod).ok).toBe(ok);
  });
});

describe('consistency', () => {
  it('needs every answer, and at least one', () => {
    expect(consistency([{ what: '/h', status: 200 }]).ok).toBe(true);
    expect(consistency([]).ok).toBe(false);
    expect(
      consistency([
        { what: '/h', status: 200 },
        { what: '/h', status: 503 },
      ]),
    ).toMatchObject({ ok: false, actual: '1 of 2 answers 200', details: ['/h: 503 (×1)'] });
  });
  it('asks all rounds even after a bad one, and counts a failed request as no answer', async () => {
    let round = 0;
    const clock = { now: () => 0, sleep: () => Promise.resolve() };
    const ask = () =>
      ++round === 2 ? Promise.reject(new Error('refused')) : Promise.resolve([{ what: '/h', status: 200 }]);
    expect(await consistently({ count: 4, intervalMs: 10, clock, ask })).toMatchObject({
      ok: false,
      actual: '3 of 4 answers 200',
      details: ['refused: 0 (×1)'],
    });
  });
  it('notices a moved transition of readiness', () => {
    const ready = (lastTransitionTime: string) =>
      makePod({ conditions: [{ type: 'Ready', status: 'True', lastTransitionTime }] });
    expect(readinessUnmoved([ready('a')], [ready('a')]).ok).toBe(true);
    expect(readinessUnmoved([ready('a')], [ready('b')]).ok).toBe(false);
    expect(readinessUnmoved([ready('a')], []).ok).toBe(false);
  });
});
