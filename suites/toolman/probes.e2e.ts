/** Liveness really restarts, readiness really takes a pod out of the Service. The process is frozen from the node, so any image will do. */
import { cgroupOf } from '../../clusters/container-of.ts';
import { probeSettings } from '../../harness/observe/predicates/rendered/probes.ts';
import { waitFor } from '../../harness/core/deadline.ts';
import { CheckFailure } from '../../harness/core/errors.ts';
import type { ManifestPatch } from '../../harness/kube/manifests/patch.ts';
import { expect } from '../../harness/run/suite/assertions.ts';
import { containerStatus, type Release } from '../../harness/run/suite/release.ts';
import { readyEndpoints } from './endpoints.ts';
import { requirement } from './kit.ts';

const SLACK_MS = 30_000;
const TOOLMAN = '/spec/template/spec/containers/[name=toolman]';

/**
 * The documented delays cost minutes and change nothing about what a probe does; they are checked as such elsewhere. How long an answer
 * may take stays the chart's: a machine under load needs it.
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
  'asks GET /health on the named port for liveness',
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
  'asks GET /ready on the named port for readiness',
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
  'takes a frozen pod out of the Service at once and restarts it when it stays frozen',
  { release: 'none', disruptive: true, needs: ['node-access'], timeoutMs: 480_000 },
  async ({ lab, kube, cluster, observe }) => {
    const release = await lab.install({ set: ['replicaCount=2'], patches: FAST_PROBES });
    const [pod] = await release.pods();
    if (!pod || !cluster.nodes)
      throw new CheckFailure('E_SELECTED_NOTHING', 'a pod and access to its node are needed');
    const { name } = pod.metadata;
    const container = pod.spec.containers.find((c) => c.name === 'toolman');
    const readiness = container?.readinessProbe ?? {};
    const liveness = container?.livenessProbe ?? {};
    // To have left the endpoints says something about a pod only that was among them, and to be restarted about one that runs on.
    await endpointThere(release, name);
    const { restartCount } = containerStatus(pod, 'toolman');

    const cgroup = await cgroupOf(cluster.nodes, pod, 'toolman');
    lab.defer(`thaw ${name}`, () => cgroup.thaw());
    await cgroup.freeze();
    await endpointGone(release, name, budget(readiness));
    const stillThere = await kube.get('Pod', { name, namespace: release.namespace });
    if (!stillThere)
      throw new CheckFailure('E_NOT_FOUND', `pod ${name} was deleted instead of taken out of the Service`);
    expect(containerStatus(stillThere, 'toolman').ready, `readiness of the frozen pod ${name}`).toBe(false);
    observe(`${name} left the endpoints`);

    // A frozen process cannot end by itself: it is thawed once the kubelet has decided to end it.
    await release.until(
      `liveness to restart container toolman of ${name}`,
      async () => {
        const events = await kube.list('Event', {
          namespace: release.namespace,
          fieldSelector: 'reason=Killing',
        });
        return events.some(
          (e) => e.involvedObject.name === name && (e.message ?? '').includes('failed liveness probe'),
        );
      },
      budget(liveness) + (liveness.initialDelaySeconds ?? 0) * 1000,
    );
    await cgroup.thaw();
    const restarts = await waitFor({
      what: `container toolman of ${name} to be started again`,
      timeoutMs: ((pod.spec.terminationGracePeriodSeconds ?? 30) + 30) * 1000,
      look: async () => {
        const now = await kube.get('Pod', { name, namespace: release.namespace });
        const count = (now ? containerStatus(now, 'toolman').restartCount : restartCount) - restartCount;
        return count > 0 ? { done: true, value: count } : { done: false, seen: `${count} restarts` };
      },
    });
    expect(restarts, `restarts of the frozen pod ${name}`).toBe(1);
    const recording = await release.settleRecording();
    const killing = recording.warningEvents({ reason: 'Unhealthy', about: name });
    expect(killing.map((e) => e.message).join('\n')).toMatch(/Liveness probe failed/);
    await release.rolledOut();
    observe(`${name} was restarted by its liveness probe and is ready again`);
  },
);

/** Time within which a failing probe has to have its effect. */
function budget(probe: {
  periodSeconds?: number;
  failureThreshold?: number;
  timeoutSeconds?: number;
}): number {
  const { periodSeconds = 10, timeoutSeconds = 1, failureThreshold = 3 } = probe;
  // A probe that hangs until its timeout holds the next one back.
  return (failureThreshold * Math.max(periodSeconds, timeoutSeconds) + timeoutSeconds) * 1000 + SLACK_MS;
}

async function endpointThere(release: Release, pod: string): Promise<void> {
  await waitFor({
    what: `the endpoints of Service toolman to have pod ${pod}`,
    timeoutMs: SLACK_MS,
    look: async () => {
      const names = await readyEndpoints(release);
      return names.includes(pod) ? { done: true, value: undefined } : { done: false, seen: told(names) };
    },
  });
}

async function endpointGone(release: Release, pod: string, timeoutMs: number): Promise<void> {
  await waitFor({
    what: `pod ${pod} to leave the endpoints of Service toolman`,
    timeoutMs,
    look: async () => {
      const names = await readyEndpoints(release);
      return names.includes(pod) ? { done: false, seen: told(names) } : { done: true, value: undefined };
    },
  });
}

function told(names: readonly string[]): string {
  return `ready endpoints: ${names.join(', ') || 'none'}`;
}
