/** Liveness restarts a pod, readiness removes it from the Service. The process is frozen from the node, which works with any image. */
import { cgroupOf } from '../../../clusters/nodes/container-cgroup.ts';
import { probeSettings } from '../../../harness/observe/predicates/rendered/probes.ts';
import { containerRestarted } from '../../../harness/observe/waits/containers.ts';
import { endpointGone, endpointReady } from '../../../harness/observe/waits/endpoints.ts';
import { eventReported } from '../../../harness/observe/waits/events.ts';
import { CheckFailure } from '../../../harness/core/errors.ts';
import type { ManifestPatch } from '../../../harness/kube/manifests/patch.ts';
import { expect } from '../../../harness/run/suite/assertions.ts';
import { containerStatus } from '../../../harness/run/suite/release.ts';
import { requirement } from '../kit.ts';

const SLACK_MS = 30_000;
const TOOLMAN = '/spec/template/spec/containers/[name=toolman]';

/**
 * Short delays: the documented ones take minutes and are checked elsewhere. The chart's timeouts stay: a machine under load needs them.
 */
const FAST_PROBES: ManifestPatch[] = [
  {
    target: { kind: 'Deployment', name: 'toolman' },
    ops: [
      { op: 'add', path: `${TOOLMAN}/livenessProbe/initialDelaySeconds`, value: 5 },
      { op: 'add', path: `${TOOLMAN}/livenessProbe/periodSeconds`, value: 3 },
      { op: 'add', path: `${TOOLMAN}/readinessProbe/initialDelaySeconds`, value: 1 },
      { op: 'add', path: `${TOOLMAN}/readinessProbe/periodSeconds`, value: 2 },
    ],
  },
];

requirement(
  'T-17',
  'has a liveness probe GET /health on the named port',
  { static: true },
  async ({ release }) => {
    await expect(
      probeSettings(release.rendered('Deployment', 'toolman'), 'toolman', 'livenessProbe', {
        path: '/health',
        port: 'http',
      }),
    ).toHold();
  },
);

requirement(
  'T-18',
  'has a readiness probe GET /ready on the named port',
  { static: true },
  async ({ release }) => {
    await expect(
      probeSettings(release.rendered('Deployment', 'toolman'), 'toolman', 'readinessProbe', {
        path: '/ready',
        port: 'http',
      }),
    ).toHold();
  },
);

requirement(
  ['T-17', 'T-18'],
  'is removed from the Service when a pod freezes, and the pod is restarted when it stays frozen',
  { release: 'none', disruptive: true, needs: ['node-access'], timeoutMs: 480_000 },
  async ({ lab, kube, cluster, observe }) => {
    const release = await lab.install({ set: ['replicaCount=2'], patches: FAST_PROBES });
    const pod = await release.pod();
    const { name } = pod.metadata;
    const { namespace } = release;
    const service = { name: 'toolman', namespace };
    const container = pod.spec.containers.find((c) => c.name === 'toolman');
    const readiness = container?.readinessProbe ?? {};
    const liveness = container?.livenessProbe ?? {};
    // To leave the endpoints, the pod has to be among them first.
    await endpointReady(kube, service, pod, { timeoutMs: SLACK_MS });

    const cgroup = await cgroupOf(cluster.nodes, pod, 'toolman');
    lab.defer(`thaw ${name}`, () => cgroup.thaw());
    await cgroup.freeze();
    await endpointGone(kube, service, pod, { timeoutMs: budget(readiness) });
    const frozen = await kube.get('Pod', { name, namespace });
    if (!frozen)
      throw new CheckFailure('E_NOT_FOUND', `pod ${name} was deleted instead of removed from the Service`);
    expect(containerStatus(frozen, 'toolman').ready, `readiness of the frozen pod ${name}`).toBe(false);
    observe(`${name} left the endpoints`);

    // A frozen process cannot exit: it is thawed once the kubelet has decided to kill it.
    await eventReported(
      kube,
      namespace,
      { reason: 'Killing', message: 'failed liveness probe', about: { kind: 'Pod', name } },
      {
        what: `liveness to restart container toolman of ${name}`,
        timeoutMs: budget(liveness) + (liveness.initialDelaySeconds ?? 0) * 1000,
      },
    );
    await cgroup.thaw();
    const restarted = await containerRestarted(kube, pod, 'toolman', {
      timeoutMs: ((pod.spec.terminationGracePeriodSeconds ?? 30) + 30) * 1000,
    });
    const [before, after] = [containerStatus(pod, 'toolman'), containerStatus(restarted, 'toolman')];
    const restarts = after.restartCount - before.restartCount;
    expect(restarts, `restarts of the frozen pod ${name}`).toBe(1);
    const recording = await release.settleRecording();
    const killing = recording.warningEvents({ reason: 'Unhealthy', about: name });
    expect(killing.map((e) => e.message).join('\n')).toMatch(/Liveness probe failed/);
    await release.rolledOut();
    observe(`${name} was restarted by its liveness probe and is ready again`);
  },
);

/** How long a failing probe may take to have an effect. */
function budget(probe: {
  periodSeconds?: number;
  failureThreshold?: number;
  timeoutSeconds?: number;
}): number {
  const { periodSeconds = 10, timeoutSeconds = 1, failureThreshold = 3 } = probe;
  // A probe that runs into its timeout delays the next one.
  return (failureThreshold * Math.max(periodSeconds, timeoutSeconds) + timeoutSeconds) * 1000 + SLACK_MS;
}
