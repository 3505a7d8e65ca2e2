/** The chart's sidecar for Docker, with a stand-in for the daemon: what does not depend on Docker itself. */
import { mcpClientImage } from '../../../fixtures/images/mcp-server.ts';
import type { ManifestPatch } from '../../../harness/kube/manifests/patch.ts';
import { expect } from '../../../harness/run/suite/assertions.ts';
import { requirement } from '../kit.ts';
import { mainOf, serverOf } from '../rendered-server.ts';
import { serverPod } from '../server-pods.ts';

const SOCKET = '/var/run/docker.sock';
const TOKEN = '/var/run/secrets/kubernetes.io/serviceaccount/token';
const SIDECAR = '/spec/template/spec/containers/[name=docker-daemon]';
/** Answers every request, as the daemon answers a ping. */
const ANSWER = `require('http').createServer((_, answer) => answer.end('OK')).listen('${SOCKET}')`;

requirement(
  'T-38',
  'can read its ServiceAccount token below the folder of the Docker socket',
  { release: 'none', disruptive: true },
  async ({ lab, observe }) => {
    const { objects } = await lab.render({ set: ['dind.enabled=true'] });
    const release = await lab.install({
      set: ['replicaCount=1', 'dind.enabled=true'],
      patches: unprivileged(serverOf(objects).metadata.name),
    });
    const pod = await serverPod(release);
    const main = mainOf(pod.spec).name;
    const { name } = pod.metadata;
    const socket = await release.exec(pod, ['stat', '-c', '%F', SOCKET], main);
    expect(socket.stdout.trim(), `${SOCKET} in the main container of ${name}`).toBe('socket');
    const token = await release.exec(pod, ['sh', '-c', `wc -c < ${TOKEN}`], main);
    expect(Number(token.stdout.trim()), `bytes of the ServiceAccount token in ${name}`).toBeGreaterThan(0);
    observe(`${name} sees ${SOCKET} and its token of ${token.stdout.trim()} bytes`);
  },
);

function unprivileged(name: string): ManifestPatch[] {
  const { ref } = mcpClientImage;
  return [
    {
      target: { kind: 'Deployment', name },
      ops: [
        { op: 'replace', path: `${SIDECAR}/image`, value: ref },
        { op: 'add', path: `${SIDECAR}/command`, value: ['node', '-e', ANSWER] },
        { op: 'add', path: `${SIDECAR}/args`, value: [] },
        { op: 'add', path: `${SIDECAR}/securityContext/privileged`, value: false },
      ],
    },
  ];
}
