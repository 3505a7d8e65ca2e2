import { describe, expect, it } from 'vitest';
import { registryObjects } from '../../../fixtures/testing/registry-objects.ts';
import { CheckFailure, InfrastructureError } from '../../../harness/core/errors.ts';
import type { KubeClient } from '../../../harness/kube/api/client.ts';
import type { KubeObject, Pod } from '../../../harness/kube/api/types.ts';
import { Recording } from '../../../harness/observe/recorder/recording.ts';
import type { Release } from '../../../harness/run/suite/release.ts';
import { makeEvent, makePod } from '../../../harness/testing/sample-world.ts';
import { startControl, type Control } from './control.ts';

const beside = (name: string, nodeName: string): Pod =>
  makePod({
    name,
    spec: {
      nodeName,
      containers: [
        {
          name: 'api',
          image: 'registry/app:1',
          resources: { requests: { cpu: '50m', memory: '256Mi' }, limits: { cpu: '1' } },
          livenessProbe: { httpGet: { path: '/live', port: 8000 }, periodSeconds: 2, timeoutSeconds: 5 },
        },
      ],
    },
  });

interface World {
  created: KubeObject[];
  recording: Recording;
  log: string;
  answer: () => Promise<{ status: number; durationMs: number }>;
  /** Whether control pods become ready. */
  starts: boolean;
}

async function started(parts: Partial<World> = {}): Promise<World & { control: Control }> {
  const world: World = {
    created: [],
    recording: new Recording(),
    log: '',
    answer: () => Promise.resolve({ status: 200, durationMs: 3 }),
    starts: true,
    ...parts,
  };
  const kube: Partial<KubeClient> = {
    create: (object) => {
      world.created.push(object);
      return Promise.resolve(object);
    },
    get: (() =>
      Promise.resolve(
        world.starts ? makePod({ conditions: [{ type: 'Ready', status: 'True' }] }) : undefined,
      )) as KubeClient['get'],
    logs: () => Promise.resolve(world.log),
  };
  const release = {
    kube,
    ...registryObjects(),
    until: (_what: string, holds: () => Promise<boolean>) => holds(),
    http: () => world.answer(),
    get recording() {
      return world.recording;
    },
    settleRecording: () => Promise.resolve(world.recording),
  } as unknown as Release;
  const pods = [beside('api-1', 'n1'), beside('api-2', 'n2'), beside('api-3', 'n1')];
  return Object.assign(world, { control: await startControl(release, pods) });
}

const broken = { ok: false, expected: 'no failed request', actual: '1 failed request' };
const about = (name: string, message: string): Recording =>
  new Recording([
    { seq: 0, at: 0, type: 'ADDED', object: makeEvent({ about: { name }, reason: 'Unhealthy', message }) },
  ]);

describe('startControl', () => {
  it('starts a pod on each node of the pods, with the probe times and the CPU of container api', async () => {
    const { created } = await started();
    const pods = created.filter((object): object is Pod => object.kind === 'Pod');
    expect(pods.map(({ metadata }) => metadata.name)).toEqual(['kindproof-control-1', 'kindproof-control-2']);
    expect(pods[0]?.spec.containers[0]).toMatchObject({
      image: 'registry/app:1',
      livenessProbe: { periodSeconds: 2, timeoutSeconds: 5, failureThreshold: 3 },
      readinessProbe: { periodSeconds: 10, timeoutSeconds: 1, failureThreshold: 3 },
      resources: { requests: { cpu: '50m', memory: '32Mi' }, limits: { cpu: '1', memory: '128Mi' } },
    });
  });

  it('is an infrastructure error when a control pod does not start', async () => {
    await expect(started({ starts: false })).rejects.toMatchObject({ code: 'E_CONTROL' });
    await expect(started({ starts: false })).rejects.toBeInstanceOf(InfrastructureError);
  });
});

describe('Control', () => {
  it('counts the liveness probes only', async () => {
    const { control } = await started({
      log: '"GET /?live HTTP/1.1" 200 -\n"GET / HTTP/1.1" 200 -\n"GET /?live HTTP/1.1" 200 -\n',
    });
    expect(await control.probes()).toBe(2);
    await expect(control.probed(2)).resolves.toBeUndefined();
  });

  it('ends the wait for probes when a control pod is restarted', async () => {
    const object = makePod({ name: 'kindproof-control-1', statuses: [{ restartCount: 1 }] });
    const recording = new Recording([{ seq: 0, at: 0, type: 'ADDED', object }]);
    const { control } = await started({ recording });
    await expect(control.probed(2)).rejects.toMatchObject({
      code: 'E_CONTROL',
      message: expect.stringContaining('kindproof-control-1 restarted') as unknown,
    });
  });

  it.each<[string, Partial<World>]>([
    ['had no trouble', {}],
    ['is another pod', { recording: about('api-1', 'Liveness probe failed: timeout') }],
    ['was starting', { recording: about('kindproof-control-1', 'Startup probe failed: refused') }],
  ])('blames the subject when the pod in trouble %s', async (_title, parts) => {
    const { control } = await started(parts);
    await control.call(1000);
    expect(await control.judged(broken)).toBe(broken);
  });

  it.each<[string, World['answer']]>([
    ['late', () => Promise.resolve({ status: 200, durationMs: 1001 })],
    ['wrong', () => Promise.resolve({ status: 503, durationMs: 3 })],
    ['missing', () => Promise.reject(new CheckFailure('E_X', 'no answer'))],
  ])('does not blame the subject when an answer of the control is %s', async (_title, answer) => {
    const world = await started();
    world.answer = answer;
    await world.control.call(1000);
    await expect(world.control.judged(broken)).rejects.toMatchObject({ code: 'E_CONTROL' });
    const fine = { ...broken, ok: true };
    expect(await world.control.judged(fine)).toBe(fine);
  });

  it('does not blame the subject when a probe of a control pod failed', async () => {
    const recording = about('kindproof-control-2', 'Readiness probe failed: timeout');
    const { control } = await started({ recording });
    await expect(control.judged(broken)).rejects.toThrow(
      /the control pod failed too \(kindproof-control-2: Readiness .*no failed request; found 1 failed request/,
    );
  });
});
