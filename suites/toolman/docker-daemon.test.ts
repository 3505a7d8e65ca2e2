import { describe, expect, it } from 'vitest';
import type { KubeClient } from '../../harness/kube/api/client.ts';
import type { Container } from '../../harness/kube/api/types.ts';
import { object } from '../../harness/testing/sample-objects.ts';
import { makePod } from '../../harness/testing/sample-world.ts';
import type { DockerAnswer, DockerClient } from './docker-client.ts';
import { daemonAnswering, sidecarOf } from './docker-daemon.ts';
import { serverIn } from './server.ts';

const RUN = { name: 'run', mountPath: '/var/run' };
const app: Container = { name: 'toolman', image: 'app:1', volumeMounts: [RUN] };
const daemon: Container = { name: 'docker-daemon', image: 'docker:dind', volumeMounts: [RUN] };
const other: Container = { name: 'mesh', image: 'mesh:1' };
const privileged = { securityContext: { privileged: true } };

function found(...containers: Container[]): ReturnType<typeof sidecarOf> {
  const labels = { app: 'toolman' };
  const server = object('apps/v1', 'Deployment', 'toolman', {
    spec: { selector: { matchLabels: labels }, template: { metadata: { labels }, spec: { containers } } },
  });
  return sidecarOf(serverIn({ objects: [server], namespace: 'demo' }));
}

describe('the Docker daemon beside the server', () => {
  it.each<[string, Container[], string]>([
    ['has the documented name', [app, { ...other, ...privileged }, daemon], 'docker-daemon'],
    ['is privileged under another name', [app, other, { ...daemon, ...privileged, name: 'dind' }], 'dind'],
  ])('%s', (_case, containers, name) => {
    const { container, mount, mainMount } = found(...containers);
    expect([container.name, mount, mainMount]).toEqual([name, RUN, RUN]);
  });

  it('may have its socket where the main container does not see it', () => {
    const elsewhere = { ...app, volumeMounts: [{ name: 'own', mountPath: '/var/run' }] };
    expect(found(elsewhere, daemon).mainMount).toBeUndefined();
    const moved = { name: 'run', mountPath: '/docker' };
    expect(found({ ...app, volumeMounts: [moved] }, daemon).mainMount).toEqual(moved);
  });

  it.each<[string, Container[], string]>([
    ['there is none', [app, other], 'nothing that could be the Docker daemon'],
    [
      'it has no volume for its socket',
      [app, { ...daemon, volumeMounts: [] }],
      'mounts no volume at /var/run',
    ],
    [
      'only a part of the volume is mounted',
      [{ ...app, volumeMounts: [{ ...RUN, subPath: 'docker' }] }, daemon],
      'mounts only docker of volume run',
    ],
  ])('is not judged when %s', (_case, containers, message) => {
    expect(() => found(...containers)).toThrow(message);
  });
});

describe('a daemon that answers', () => {
  const pod = makePod({ statuses: [{ name: 'docker-daemon', restartCount: 2 }] });
  const kube = { get: () => Promise.resolve(pod) } as unknown as KubeClient;
  const answering = (answer: DockerAnswer, ports: number[] = []) => {
    const client: DockerClient = {
      ask: () => Promise.resolve(answer),
      ports: () => Promise.resolve(ports),
    };
    return daemonAnswering(kube, { pod, sidecar: 'docker-daemon', client, socket: '/daemon/docker.sock' });
  };

  it.each<[string, DockerAnswer, number[]]>([
    ['at its socket', { version: '28.0.0' }, []],
    ['on TCP only', { error: 'ENOENT' }, [2375]],
    ['at both', { version: '28.0.0' }, [2375]],
  ])('is found %s', async (_case, answer, ports) => {
    expect(await answering(answer, ports)).toEqual({ version: answer.version, ports });
  });

  it('is not awaited when it ends again and again', async () => {
    await expect(answering({ error: 'ENOENT' })).rejects.toThrow(
      'ENOENT at its socket, after 2 restarts (gave up early: it ends again and again)',
    );
  });
});
