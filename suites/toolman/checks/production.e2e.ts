/** The documented production values, installed and running. */
import { matchesSelector } from '../../../harness/kube/api/selectors.ts';
import type { LabelSelector } from '../../../harness/kube/api/types.ts';
import { expect } from '../../../harness/run/suite/assertions.ts';
import type { InstallOptions } from '../../../harness/run/suite/lab.ts';
import { requirement } from '../kit.ts';
import { mainOf } from '../rendered-server.ts';
import { serverPods } from '../server-pods.ts';
import { provideServiceMonitors, SERVICE_MONITOR } from '../service-monitor-definition.ts';
import { provideVolume } from '../shared-volume.ts';
import { toolman } from '../suite.ts';

const HOSTNAME = 'kubernetes.io/hostname';
const FAST = 'fast-ssd';

requirement(
  ['TA-10', 'TA-15', 'TA-21'],
  'runs in its production values: 3 replicas on 3 nodes, probed, on one claim of class fast-ssd',
  { release: 'none', disruptive: true, needs: ['shared-storage'], timeoutMs: 420_000 },
  async ({ lab, kube, subject, observe }) => {
    await provideVolume(lab, { storageClass: FAST, size: '20Gi' });
    // A user's subject is in production values already.
    const options: InstallOptions = subject.reference
      ? {
          onlyChart: true,
          values: [toolman.valuesVariants['production'] ?? ''],
          set: [...subject.set, ...WITHOUT_MONITOR],
        }
      : {};
    const release = await lab.install(options);
    const server = release.deployment();
    await expect(server).toHaveAvailableReplicas(3);
    await expect(server).toBeSpreadOver(HOSTNAME, { maxSkew: 1 });
    for (const pod of await serverPods(release)) {
      const { livenessProbe, readinessProbe } = mainOf(pod.spec);
      expect(livenessProbe, `livenessProbe of ${pod.metadata.name}`).toBeDefined();
      expect(readinessProbe, `readinessProbe of ${pod.metadata.name}`).toBeDefined();
    }
    const wanted = release.rendered('PersistentVolumeClaim');
    const claim = await kube.get('PersistentVolumeClaim', {
      name: wanted.metadata.name,
      namespace: release.namespace,
    });
    const { status, spec } = (claim ?? {}) as {
      status?: { phase?: string; capacity?: object };
      spec?: { storageClassName?: string };
    };
    expect(status?.phase, `phase of claim ${wanted.metadata.name}`).toBe('Bound');
    if (subject.reference) {
      expect(spec?.storageClassName, `class of claim ${wanted.metadata.name}`).toBe(FAST);
      expect(status?.capacity, `capacity of claim ${wanted.metadata.name}`).toEqual({ storage: '20Gi' });
    }
    observe(
      `3 replicas on 3 nodes share claim ${wanted.metadata.name} of class ${spec?.storageClassName ?? ''}`,
    );
  },
);

/** Its definition comes and goes with the check below. */
const WITHOUT_MONITOR = ['serviceMonitor.enabled=false'];

requirement(
  'TA-17',
  'is monitored where ServiceMonitors are known, and installs where they are not',
  { release: 'none', disruptive: true },
  async ({ lab, kube, observe }) => {
    // No pod is needed to see which objects there are.
    const set = ['replicaCount=0', 'serviceMonitor.enabled=true'];
    const before = await lab.install({ set, rollout: false });
    const status = await lab.helm.status({ releaseName: before.name, namespace: before.namespace });
    expect(status?.status, 'release on a cluster without ServiceMonitors').toBe('deployed');

    await provideServiceMonitors(lab);
    const release = await lab.install({ set, rollout: false });
    const { namespace } = release;
    const monitors = await kube.list(SERVICE_MONITOR, { namespace });
    expect(monitors, 'ServiceMonitors of the release').toHaveLength(1);
    const service = await release.service();
    const [monitor] = monitors;
    const { selector, endpoints = [] } = monitor?.['spec'] as {
      selector: LabelSelector;
      endpoints?: { port?: string }[];
    };
    expect(
      matchesSelector(selector, service.metadata.labels),
      `the ServiceMonitor selects Service ${service.metadata.name}`,
    ).toBe(true);
    const ports = (service.spec.ports ?? []).map(({ name }) => name);
    expect(endpoints.length, 'endpoints of the ServiceMonitor').toBeGreaterThan(0);
    for (const { port } of endpoints) expect(ports, 'ports of the Service').toContain(port);
    observe(`the ServiceMonitor selects Service ${service.metadata.name}, port ${endpoints[0]?.port ?? ''}`);
  },
);
