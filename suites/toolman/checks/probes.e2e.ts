/** Liveness restarts a pod, readiness removes it from the Service. The process is frozen from the node, which works with any image. */
import { cgroupOf } from '../../../clusters/nodes/container-cgroup.ts';
import { probeSettings } from '../../../harness/observe/predicates/rendered/probes.ts';
import { containerRestarted } from '../../../harness/observe/waits/containers.ts';
import { endpointGone, endpointReady } from '../../../harness/observe/waits/endpoints.ts';
import { eventReported } from '../../../harness/observe/waits/events.ts';
import { CheckFailure } from '../../../harness/core/errors.ts';
import type { KubeClient } from '../../../harness/kube/api/client.ts';
import type { ManifestPatch } from '../../../harness/kube/manifests/patch.ts';
import type { Pod } from '../../../harness/kube/api/types.ts';
import { expect } from '../../../harness/run/suite/assertions.ts';
import { containerStatus } from '../../../harness/run/suite/release.ts';
import { requirement } from '../kit.ts';
import { blindBeside, probeFailures, unreadyBeforeKilled, type ProbeName } from '../frozen-pod.ts';
import { withReplicas } from '../means.ts';
import { portOf, renderedServer, serverIn, serviceOf, type Server } from '../server.ts';
import { serverPod } from '../server-pods.ts';

/** What the kubelet reports decides; only a pod of which it reports nothing at all waits for so long. */
const REPORT_MS = 180_000;

/**
 * Short delays: the documented ones take minutes and are checked elsewhere. The chart's timeouts stay: a machine under load needs them.
 * Liveness takes so much longer than readiness that the pod leaves the Service first, as with the documented ones. Both take few failures:
 * the kubelet drops events of a pod after 25.
 */
function withFastProbes({ object, container }: Server): ManifestPatch {
  const path = `/spec/template/spec/containers/[name=${container.name}]`;
  return {
    target: { kind: object.kind, name: object.metadata.name },
    ops: [
      { op: 'add', path: `${path}/livenessProbe/initialDelaySeconds`, value: 5 },
      { op: 'add', path: `${path}/livenessProbe/periodSeconds`, value: 6 },
      { op: 'add', path: `${path}/livenessProbe/failureThreshold`, value: 3 },
      { op: 'add', path: `${path}/readinessProbe/initialDelaySeconds`, value: 1 },
      { op: 'add', path: `${path}/readinessProbe/periodSeconds`, value: 2 },
      { op: 'add', path: `${path}/readinessProbe/failureThreshold`, value: 3 },
    ],
  };
}

requirement(
  'T-17',
  'has a liveness probe GET /health on the named port',
  { static: true },
  async ({ release }) => {
    const server = serverIn(release);
    await expect(
      probeSettings(server.object, server.container.name, 'livenessProbe', {
        path: '/health',
        port: portOf(server).name ?? 'http',
      }),
    ).toHold();
  },
);

requirement(
  'T-18',
  'has a readiness probe GET /ready on the named port',
  { static: true },
  async ({ release }) => {
    const server = serverIn(release);
    await expect(
      probeSettings(server.object, server.container.name, 'readinessProbe', {
        path: '/ready',
        port: portOf(server).name ?? 'http',
      }),
    ).toHold();
  },
);

requirement(
  ['T-17', 'T-18'],
  'is removed from the Service when a pod freezes, and the pod is restarted when it stays frozen',
  { release: 'none', disruptive: true, needs: ['node-access'], timeoutMs: 480_000, typicalMs: 70_000 },
  async ({ lab, kube, cluster, observe }) => {
    const server = await renderedServer(lab);
    const patches = [...withReplicas(server, 2), withFastProbes(server)];
    const release = await lab.install({ patches });
    const pod = await serverPod(release);
    const { name } = pod.metadata;
    const { namespace, container: application } = serverIn(release);
    const service = { name: serviceOf(release).metadata.name, namespace };
    const container = pod.spec.containers.find((c) => c.name === application.name);
    const probes = { Readiness: container?.readinessProbe, Liveness: container?.livenessProbe };
    // To leave the endpoints, the pod has to be among them first.
    await endpointReady(kube, service, pod);

    const cgroup = await cgroupOf(cluster.nodes, pod, application.name);
    lab.defer(`thaw ${name}`, () => cgroup.thaw());
    const before = await failuresOf(kube, pod);
    /** Why a probe will not notice, once the other one has failed often enough. */
    const blind = (probe: ProbeName) => async (): Promise<string | undefined> =>
      blindBeside(probe, probes, before, await failuresOf(kube, pod));
    await cgroup.freeze();
    await endpointGone(kube, service, pod, { timeoutMs: REPORT_MS, unless: blind('Readiness') });
    const frozen = await kube.get('Pod', { name, namespace });
    if (!frozen)
      throw new CheckFailure('E_NOT_FOUND', `pod ${name} was deleted instead of removed from the Service`);
    expect(containerStatus(frozen, application.name).ready, `readiness of the frozen pod ${name}`).toBe(
      false,
    );
    observe(`${name} left the endpoints`);

    // A frozen process cannot exit: it is thawed once the kubelet has decided to kill it.
    await eventReported(
      kube,
      namespace,
      { reason: 'Killing', message: 'failed liveness probe', about: { kind: 'Pod', name } },
      {
        what: `liveness to restart container ${application.name} of ${name}`,
        timeoutMs: REPORT_MS,
        unless: blind('Liveness'),
      },
    );
    await cgroup.thaw();
    const restarted = await containerRestarted(kube, pod, application.name, {
      timeoutMs: (pod.spec.terminationGracePeriodSeconds ?? 30) * 1000 + REPORT_MS,
    });
    const restarts =
      containerStatus(restarted, application.name).restartCount -
      containerStatus(pod, application.name).restartCount;
    expect(restarts, `restarts of the frozen pod ${name}`).toBe(1);
    const failures = await failuresOf(kube, pod);
    expect(failures.Liveness, `failed liveness probes of ${name}`).toBeGreaterThan(before.Liveness);
    await expect(unreadyBeforeKilled(await release.settleRecording(), pod, probes)).toHold();
    await release.rolledOut();
    observe(
      `${name} was restarted after ${failures.Liveness - before.Liveness} failed liveness probes, and is ready again`,
    );
  },
);

async function failuresOf(
  kube: KubeClient,
  { metadata: { name, namespace } }: Pod,
): Promise<Record<ProbeName, number>> {
  const fieldSelector = `reason=Unhealthy,involvedObject.name=${name}`;
  return probeFailures(await kube.list('Event', { namespace, fieldSelector }));
}
