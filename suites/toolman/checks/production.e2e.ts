/** The documented production values, installed and running. */
import { parseQuantity } from '../../../harness/kube/api/quantity.ts';
import { matchesSelector } from '../../../harness/kube/api/selectors.ts';
import type { KubeObject, LabelSelector } from '../../../harness/kube/api/types.ts';
import { expect } from '../../../harness/run/suite/assertions.ts';
import { containerNamed } from '../../../harness/run/suite/release.ts';
import { requirement } from '../kit.ts';
import { withReplicas } from '../means.ts';
import { inProduction } from '../production-values.ts';
import { claimOf, renderedServer, serverIn, serverOf, serviceOf, storageOf } from '../server.ts';
import { serverPods } from '../server-pods.ts';
import { provideServiceMonitors, SERVICE_MONITOR } from '../service-monitor-definition.ts';
import { provideVolume } from '../shared-volume.ts';

const HOSTNAME = 'kubernetes.io/hostname';
const FAST = 'fast-ssd';

requirement(
  ['TA-10', 'TA-15', 'TA-21'],
  'runs in its production values: 3 replicas on 3 nodes, probed, on one claim of class fast-ssd',
  { release: 'none', disruptive: true, needs: ['shared-storage'], timeoutMs: 420_000 },
  async ({ lab, kube, subject, observe }) => {
    const options = await inProduction(subject);
    const { rendered } = await renderedServer(lab, options);
    const asked = storageOf(claimOf(rendered));
    if (asked.storageClass === FAST && asked.size !== undefined)
      await provideVolume(lab, { storageClass: FAST, size: asked.size });
    // Without the values of the subject, the images are not those of the run.
    const release = await lab.install({ ...options, ...(options.onlyChart && { set: subject.set }) });
    const server = serverOf(release);
    await expect(server).toHaveAvailableReplicas(3);
    await expect(server).toBeSpreadOver(HOSTNAME, { maxSkew: 1 });
    const { container, namespace } = serverIn(release);
    for (const { spec, metadata } of await serverPods(release)) {
      const { livenessProbe, readinessProbe } = containerNamed(spec, container.name, metadata.name);
      expect(livenessProbe, `livenessProbe of ${metadata.name}`).toBeDefined();
      expect(readinessProbe, `readinessProbe of ${metadata.name}`).toBeDefined();
    }
    const { name } = claimOf(release);
    const claim = await kube.get('PersistentVolumeClaim', { name, namespace });
    const { status, spec } = (claim ?? {}) as {
      status?: { phase?: string; capacity?: { storage?: string } };
      spec?: { storageClassName?: string };
    };
    expect(status?.phase, `phase of claim ${name}`).toBe('Bound');
    if (asked.storageClass !== undefined)
      expect(spec?.storageClassName, `class of claim ${name}`).toBe(asked.storageClass);
    if (asked.size !== undefined)
      expect(
        parseQuantity(status?.capacity?.storage ?? '0'),
        `capacity of claim ${name}, of which ${asked.size} are claimed`,
      ).toBeGreaterThanOrEqual(parseQuantity(asked.size));
    observe(`3 replicas on 3 nodes share claim ${name} of class ${spec?.storageClassName ?? ''}`);
  },
);

requirement(
  'TA-17',
  'is monitored where ServiceMonitors are known, and installs where they are not',
  // Exclusive: the definition changes what other releases render.
  { release: 'none', disruptive: true, exclusive: true },
  async ({ lab, kube, observe }) => {
    // No pod is needed to see which objects there are.
    const patches = withReplicas(await renderedServer(lab), 0);
    const set = ['serviceMonitor.enabled=true'];
    const before = await lab.install({ patches, set, rollout: false });
    const status = await lab.helm.status({ releaseName: before.name, namespace: before.namespace });
    expect(status?.status, 'release on a cluster without ServiceMonitors').toBe('deployed');

    await provideServiceMonitors(lab);
    const release = await lab.install({ patches, set, rollout: false });
    const { metadata, spec } = serviceOf(release);
    const monitors = monitorsIn(await kube.list(SERVICE_MONITOR, { namespace: serverIn(release).namespace }));
    const selecting = monitors.filter(({ selector }) => matchesSelector(selector, metadata.labels));
    const found = monitors.map(({ name }) => name).join(', ') || 'none';
    expect(
      selecting.length,
      `the ServiceMonitor selects Service ${metadata.name}; ServiceMonitors of the release: ${found}`,
    ).toBeGreaterThan(0);
    const ports = (spec.ports ?? []).map(({ name }) => name);
    for (const { name, endpoints } of selecting) {
      expect(endpoints.length, `endpoints of ServiceMonitor ${name}`).toBeGreaterThan(0);
      for (const { port } of endpoints)
        expect(ports, `ports of Service ${metadata.name}, for ServiceMonitor ${name}`).toContain(port);
      observe(`ServiceMonitor ${name} selects Service ${metadata.name}, port ${endpoints[0]?.port ?? ''}`);
    }
  },
);

function monitorsIn(
  objects: readonly KubeObject[],
): { name: string; selector: LabelSelector; endpoints: readonly { port?: string }[] }[] {
  return objects.map(({ metadata: { name }, spec }) => {
    const { selector, endpoints = [] } = spec as {
      selector: LabelSelector;
      endpoints?: { port?: string }[];
    };
    return { name, selector, endpoints };
  });
}
