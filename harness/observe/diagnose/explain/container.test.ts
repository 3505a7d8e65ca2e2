import { describe, expect, it } from 'vitest';
import type { Container, ContainerStatus, Pod } from '../../../kube/api/types.ts';
import { ago, makeEvent, makeNode, makePod, makeWorld, NOW } from '../../../testing/sample-world.ts';
import { hopeless } from '../hopeless.ts';
import type { World } from '../world.ts';
import { logKey } from '../world.ts';
import { explainPod } from './pod.ts';

const explained = (pod: Pod, world: Partial<World> = {}) => {
  const trouble = explainPod(pod, makeWorld({ pods: [pod], ...world }));
  return (
    trouble && {
      says: trouble.says,
      upstream: trouble.upstream.map((c) => `${c.object} ${c.says}`),
      hint: trouble.hint,
    }
  );
};
const initializing: Partial<ContainerStatus>[] = [{ state: { waiting: { reason: 'PodInitializing' } } }];
const withInit = (init: Partial<Container>, status: Partial<ContainerStatus>, mains = initializing): Pod =>
  makePod({
    spec: {
      initContainers: [{ name: 'setup', image: 'a', ...init }],
      containers: [{ name: 'app', image: 'a' }],
    },
    inits: [{ name: 'setup', ...status }],
    statuses: mains,
  });

describe('an init container that runs', () => {
  const running = (seconds: number): Partial<ContainerStatus> => ({
    state: { running: { startedAt: ago(seconds) } },
  });

  it('is what the containers after it wait for: its log says why it does not end', () => {
    const logs = new Map([[logKey('web-1', 'setup', false), 'waiting for db:5432\nwaiting for db:5432\n']]);
    const result = explained(withInit({}, running(45)), { logs });
    expect(result).toMatchObject({
      says: 'is still starting: init container setup has been running for 45 s and has not ended, and the containers after it wait',
      upstream: ['Log of setup ends: waiting for db:5432'],
    });
    expect(result?.hint).toMatch(/what it waits for/);
  });

  it('is a wait, not a final state', () => {
    expect(hopeless([withInit({}, running(600))], [], NOW)).toBeUndefined();
  });

  it('keeps the reason for which it failed before', () => {
    const pod = withInit(
      {},
      { ...running(5), restartCount: 1, lastState: { terminated: { exitCode: 7, reason: 'Error' } } },
    );
    expect(explained(pod)?.says).toMatch(/^has init container setup ending with exit code 7/);
  });
});

describe('a sidecar among the init containers', () => {
  const exec = { exec: { command: ['cat', '/tmp/shipping'] } };
  const unhealthy = (probe: string) =>
    makeEvent({
      about: { fieldPath: 'spec.initContainers{setup}' },
      reason: 'Unhealthy',
      message: `${probe} probe failed: cat: can't open '/tmp/shipping': No such file or directory`,
      count: 4,
    });

  it('is named when its readiness probe keeps the pod from being ready', () => {
    const pod = withInit(
      { restartPolicy: 'Always', readinessProbe: exec },
      { started: true, state: { running: { startedAt: ago(45) } } },
      [{ ready: true, started: true, state: { running: {} } }],
    );
    expect(explained(pod, { events: [unhealthy('Readiness')] })?.says).toBe(
      "is not ready: the readiness probe of sidecar setup fails: the command `cat /tmp/shipping` fails: cat: can't open '/tmp/shipping': No such file or directory",
    );
  });

  it('is named when its startup probe keeps the other containers from starting', () => {
    const pod = withInit(
      { restartPolicy: 'Always', startupProbe: exec },
      { started: false, state: { running: { startedAt: ago(45) } } },
    );
    expect(explained(pod, { events: [unhealthy('Startup')] })?.says).toMatch(
      /^is not ready: the startup probe of sidecar setup fails: the command `cat \/tmp\/shipping` fails: .*No such file or directory; the containers after it wait$/,
    );
  });

  it('may not end, not even with exit code 0', () => {
    const status = {
      restartCount: 3,
      state: { waiting: { reason: 'CrashLoopBackOff' } },
      lastState: { terminated: { exitCode: 0, startedAt: ago(3), finishedAt: ago(3) } },
    };
    const pod = withInit({ restartPolicy: 'Always' }, status);
    expect(explained(pod)?.says).toMatch(/^has sidecar setup ending with exit code 0 at once/);
    expect(hopeless([pod], [], NOW)).toMatch(/sidecar setup/);
  });

  it('is final when its startup probe has had it killed three times', () => {
    const killing = makeEvent({
      about: { fieldPath: 'spec.initContainers{setup}' },
      type: 'Normal',
      reason: 'Killing',
      message: 'Init container setup failed startup probe, will be restarted',
    });
    const status: Partial<ContainerStatus> = {
      started: false,
      restartCount: 3,
      state: { running: { startedAt: ago(5) } },
      lastState: { terminated: { exitCode: 0 } },
    };
    const pod = withInit({ restartPolicy: 'Always', startupProbe: exec }, status);
    expect(hopeless([pod], [unhealthy('Startup'), killing], NOW)).toMatch(
      /sidecar setup killed by its startup probe/,
    );
  });
});

describe('a container without enough memory', () => {
  const limited = { resources: { limits: { memory: '1Mi' } } };
  const startError = {
    exitCode: 128,
    reason: 'StartError',
    message:
      'failed to create containerd task: failed to create shim task: OCI runtime create failed: runc create failed: unable to start container process: container init was OOM-killed (memory limit too low?): unknown',
  };
  const status: Partial<ContainerStatus> = {
    restartCount: 2,
    state: { waiting: { reason: 'CrashLoopBackOff' } },
    lastState: { terminated: startError },
  };

  // The runtime may notice it before or after it starts its own process in the cgroup.
  it.each([
    startError.message,
    'failed to create shim task: OCI runtime create failed: runc create failed: unable to start container process: error during container init: error setting cgroup config for procHooks process: unable to set memory limit to 1048576 (current usage: 2363392, peak usage: 2629632)',
  ])('names the limit of an init container that the runtime cannot even start: %s', (message) => {
    const lastState = { terminated: { ...startError, message } };
    const result = explained(withInit(limited, { ...status, lastState }));
    expect(result?.says).toBe(
      'cannot start init container setup: it is out of memory before its program runs: its memory limit is 1Mi',
    );
    expect(result?.hint).toMatch(/limit of the init container/);
  });

  it('says the same of a container, whose limit is raised in another place', () => {
    const pod = makePod({
      spec: { containers: [{ name: 'app', image: 'a', ...limited }] },
      statuses: [status],
    });
    const result = explained(pod);
    expect(result?.says).toMatch(/^cannot start container app: it is out of memory .* limit is 1Mi$/);
    expect(result?.hint).toMatch(/^Raise the memory limit, /);
  });

  it.each([
    'runc create failed: unable to start container process: error during container init: read init-p: connection reset by peer: container init was OOM-killed',
    'runc create failed: unable to start container process: error setting cgroup config for procHooks process: failed to write "1048576": write /sys/fs/cgroup/memory.max: device or resource busy',
    'runc create failed: unable to start container process: container init failed, possibly killed because the memory limit is too low',
  ])('knows the words of the runtime: %s', (message) => {
    const ended = { ...startError, message };
    expect(explained(withInit(limited, { ...status, lastState: { terminated: ended } }))?.says).toMatch(
      /out of memory .* 1Mi$/,
    );
  });

  it('names the limit of an init container that is killed while it runs', () => {
    const killed = { ...status, lastState: { terminated: { exitCode: 137, reason: 'OOMKilled' } } };
    const result = explained(withInit(limited, killed));
    expect(result?.says).toBe(
      'has init container setup OOMKilled (137), restarted 2 times: its memory limit is 1Mi',
    );
    expect(result?.hint).toMatch(/limit of the init container/);
  });
});

describe('a container that ends with exit code 0', () => {
  const ended = (after: number, spec: Partial<Container> = {}, policy?: string): Pod =>
    makePod({
      spec: {
        containers: [{ name: 'app', image: 'a', ...spec }],
        ...(policy === undefined ? {} : { restartPolicy: policy }),
      },
      statuses: [
        {
          restartCount: 3,
          state: { waiting: { reason: 'CrashLoopBackOff' } },
          lastState: {
            terminated: {
              exitCode: 0,
              reason: 'Completed',
              startedAt: ago(10 + after),
              finishedAt: ago(10),
            },
          },
        },
      ],
    });

  it('did not fail: it has no standard input, and has to go on', () => {
    const result = explained(ended(0));
    expect(result?.says).toBe(
      'has container app ending with exit code 0 at once, restarted 3 times: it neither failed nor was killed, but it has to go on',
    );
    expect(result?.upstream[0]).toBe(
      'Container app has no standard input (stdin is not set): a server on standard input sees its end and ends, too',
    );
    expect(result?.hint).toMatch(/stdin: true/);
  });

  it.each([
    ['it has a standard input', ended(0, { stdin: true })],
    ['it has run for long', ended(300)],
  ])('says nothing about standard input when %s', (_, pod) => {
    const result = explained(pod);
    expect(result?.upstream.join()).not.toContain('standard input');
    expect(result?.hint).toMatch(/foreground/);
  });

  const justEnded = (metadata: Partial<Pod['metadata']> = {}): Pod => {
    const pod = ended(0);
    const [status] = pod.status?.containerStatuses ?? [];
    if (status) Object.assign(status, { state: status.lastState, lastState: {} });
    return { ...pod, metadata: { ...pod.metadata, ...metadata } };
  };

  it('has to go on also at the moment in which it has ended', () => {
    expect(explained(justEnded())?.says).toMatch(/ending with exit code 0 at once/);
  });

  it('may end when the pod is deleted', () => {
    expect(explained(justEnded({ deletionTimestamp: ago(1) }))?.says ?? '').not.toContain('exit code 0');
  });

  it('may end when the pod has to end', () => {
    expect(explained(ended(0, {}, 'OnFailure'))?.says ?? '').not.toContain('exit code 0');
  });
});

describe('an image that is pulled although the node has it', () => {
  const REGISTRY =
    'ghcr.io/a/b:v1: pull access denied, repository does not exist or may require authorization';
  const pulling = (image: string, imagePullPolicy: string): Pod =>
    makePod({
      spec: { containers: [{ name: 'app', image, imagePullPolicy }] },
      statuses: [{ state: { waiting: { reason: 'ErrImagePull', message: REGISTRY } } }],
    });
  const nodeWith = (...names: string[]) => {
    const node = makeNode('n1');
    return [{ ...node, status: { ...node.status, images: [{ names: null }, { names }] } }];
  };

  it.each([
    ['ghcr.io/a/b:v1', 'ghcr.io/a/b:v1'],
    ['busybox', 'docker.io/library/busybox:latest'],
    ['acme/app:2', 'docker.io/acme/app:2'],
    ['localhost:5000/app:2', 'localhost:5000/app:2'],
  ])('%s: its pull policy is what is wrong', (image, onNode) => {
    const result = explained(pulling(image, 'Always'), { nodes: nodeWith(onNode) });
    expect(result?.says).toBe(
      `cannot pull image ${image} for container app: its pull policy is Always, so the copy that is on node n1 is not used: the registry denies access (or has no such repository)`,
    );
    expect(result?.hint).toMatch(/^Set imagePullPolicy: IfNotPresent/);
    expect(JSON.stringify(result)).not.toMatch(/load the image into the nodes|imagePullSecrets/);
  });

  it.each([
    ['another tag is there', pulling('ghcr.io/a/b:v1', 'Always'), nodeWith('ghcr.io/a/b:v2')],
    ['the policy is IfNotPresent', pulling('ghcr.io/a/b:v1', 'IfNotPresent'), nodeWith('ghcr.io/a/b:v1')],
    ['the nodes could not be read', pulling('ghcr.io/a/b:v1', 'Always'), undefined],
  ])('not when %s', (_, pod, nodes) => {
    expect(explained(pod, { nodes })?.says).not.toContain('pull policy');
  });
});
