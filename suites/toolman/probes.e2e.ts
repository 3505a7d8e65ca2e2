/** Liveness really restarts, readiness really takes a pod out of the Service. The process is frozen from the node, so any image will do. */
import { cgroupOf } from '../../clusters/container-of.ts';
import { probeSettings } from '../../harness/checks/static-probes.ts';
import { waitFor } from '../../harness/core/deadline.ts';
import { CheckFailure } from '../../harness/core/errors.ts';
import type { KubeClient } from '../../harness/kube/client.ts';
import type { ManifestPatch } from '../../harness/manifests/patch.ts';
import { expect } from '../../harness/suite/assertions.ts';
import { containerStatus, type Release } from '../../harness/suite/release.ts';
import { requirement } from './kit.ts';

const SLACK_MS = 30_000;

/** The documented delays cost minutes and change nothing about what a probe does; they are checked as such elsewhere. */
const FAST_PROBES: ManifestPatch[] = [
  {
    target: { kind: 'Deployment', name: 'toolman' },
    ops: [
      { op: 'add', path: '/spec/template/spec/containers/0/livenessProbe/initialDelaySeconds', value: 5 },
      { op: 'add', path: '/spec/template/spec/containers/0/livenessProbe/periodSeconds', value: 3 },
      { op: 'add', path: '/spec/template/spec/containers/0/livenessProbe/timeoutSeconds', value: 3 },
      { op: 'add', path: '/spec/template/spec/containers/0/readinessProbe/initialDelaySeconds', value: 1 },
      { op: 'add', path: '/spec/template/spec/containers/0/readinessProbe/periodSeconds', value: 2 },
      { op: 'add', path: '/spec/template/spec/containers/0/readinessProbe/timeoutSeconds', value: 2 },
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
  { release: 'none', disruptive: true, needs: ['node-access'], timeoutMs: 240_000 },
  async ({ lab, kube, cluster, observe }) => {
    const release = await lab.install({ set: ['replicaCount=2'], patches: FAST_PROBES });
    const [pod] = await release.pods();
    if (!pod || !cluster.nodes)
      throw new CheckFailure('E_SELECTED_NOTHING', 'a pod and access to its node are needed');
    const { name } = pod.metadata;
    const container = pod.spec.containers.find((c) => c.name === 'toolman');
    const readiness = container?.readinessProbe ?? {};
    const liveness = container?.livenessProbe ?? {};

    const cgroup = await cgroupOf(cluster.nodes, pod, 'toolman');
    lab.defer(`thaw ${name}`, () => cgroup.thaw());
    await cgroup.freeze();
    await endpointGone(kube, release, name, budget(readiness));
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
        const count = now ? containerStatus(now, 'toolman').restartCount : 0;
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
  const period = probe.periodSeconds ?? 10;
  return ((probe.failureThreshold ?? 3) * period + (probe.timeoutSeconds ?? 1)) * 1000 + SLACK_MS;
}

async function endpointGone(
  kube: KubeClient,
  release: Release,
  pod: string,
  timeoutMs: number,
): Promise<void> {
  const service = (await release.service('toolman')).metadata.name;
  await waitFor({
    what: `pod ${pod} to leave the endpoints of Service ${service}`,
    timeoutMs,
    look: async () => {
      const slices = await kube.list('EndpointSlice', {
        namespace: release.namespace,
        labelSelector: `kubernetes.io/service-name=${service}`,
      });
      const ready = slices.flatMap((s) => s.endpoints ?? []).filter((e) => e.conditions?.ready === true);
      const names = ready.map((e) => e.targetRef?.name ?? '?');
      return names.includes(pod)
        ? { done: false, seen: `ready endpoints: ${names.join(', ')}` }
        : { done: true, value: undefined };
    },
  });
}
