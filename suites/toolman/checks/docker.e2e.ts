/** The chart's sidecar for Docker, with a stand-in for the daemon: what does not depend on Docker itself. */
import { mcpClientImage } from '../../../fixtures/images/mcp-server.ts';
import type { ManifestPatch } from '../../../harness/kube/manifests/patch.ts';
import { eventually } from '../../../harness/observe/waits/eventually.ts';
import { expect } from '../../../harness/run/suite/assertions.ts';
import { requirement } from '../kit.ts';
import { withReplicas } from '../means.ts';
import { dockerDaemonIn, renderedServer, serverIn, type Server } from '../server.ts';
import { serverPod } from '../server-pods.ts';

const SOCKET = '/var/run/docker.sock';
const TOKEN = '/var/run/secrets/kubernetes.io/serviceaccount/token';
/** Answers every request, as the daemon answers a ping. */
const ANSWER = `require('http').createServer((_, answer) => answer.end('OK')).listen('${SOCKET}')`;

requirement(
  'T-38',
  'can read its ServiceAccount token below the folder of the Docker socket',
  { release: 'none', disruptive: true, typicalMs: 80_000 },
  async ({ lab, observe }) => {
    const set = ['dind.enabled=true'];
    const server = await renderedServer(lab, { set });
    const release = await lab.install({ set, patches: [...withReplicas(server, 1), withStandIn(server)] });
    const pod = await serverPod(release);
    const main = serverIn(release).container.name;
    const { name } = pod.metadata;
    // The stand-in creates it a moment after its start, for which no probe waits.
    const socket = eventually(async () => {
      const { stdout, stderr } = await release.exec(pod, ['stat', '-c', '%F', SOCKET], main);
      return {
        ok: stdout.trim() === 'socket',
        expected: `${SOCKET} in the main container of ${name} is a socket`,
        actual: stdout.trim() || stderr.trim(),
      };
    });
    await expect(socket).toHold();
    // Through the links by which the kubelet renews it.
    const token = await release.exec(pod, ['stat', '-L', '-c', '%s', TOKEN], main);
    const bytes = token.stdout.trim();
    expect(Number(bytes), `bytes of the ServiceAccount token in ${name}`).toBeGreaterThan(0);
    observe(`${name} sees ${SOCKET} and its token of ${bytes} bytes`);
  },
);

/** Replaces the daemon by a program that needs no privileges. It has nothing that a probe of the daemon could ask. */
function withStandIn(server: Server): ManifestPatch {
  const { object } = server;
  const sidecar = dockerDaemonIn(server);
  const path = `/spec/template/spec/containers/[name=${sidecar.name}]`;
  const probes = (['startupProbe', 'readinessProbe', 'livenessProbe'] as const).filter(
    (probe) => sidecar[probe] !== undefined,
  );
  return {
    target: { kind: object.kind, name: object.metadata.name },
    ops: [
      { op: 'replace', path: `${path}/image`, value: mcpClientImage.ref },
      { op: 'add', path: `${path}/command`, value: ['node', '-e', ANSWER] },
      { op: 'add', path: `${path}/args`, value: [] },
      { op: 'add', path: `${path}/securityContext/privileged`, value: false },
      ...probes.map((probe) => ({ op: 'remove' as const, path: `${path}/${probe}` })),
    ],
  };
}
