/** The CustomResourceDefinition of ServiceMonitor, with the fields that charts commonly set. The Prometheus operator is not needed. */
import { waitFor } from '../../harness/core/deadline.ts';
import type { KubeObject } from '../../harness/kube/api/types.ts';
import type { Lab } from '../../harness/run/suite/lab.ts';

const KIND = { apiVersion: 'apiextensions.k8s.io/v1', kind: 'CustomResourceDefinition' };
const NAME = 'servicemonitors.monitoring.coreos.com';

export const SERVICE_MONITOR = { apiVersion: 'monitoring.coreos.com/v1', kind: 'ServiceMonitor' };

const endpoint = {
  type: 'object',
  properties: {
    port: { type: 'string' },
    targetPort: { 'x-kubernetes-int-or-string': true },
    path: { type: 'string' },
    scheme: { type: 'string' },
    interval: { type: 'string', pattern: '^(0|([0-9]+(ms|[smhdwy]))+)$' },
    scrapeTimeout: { type: 'string', pattern: '^(0|([0-9]+(ms|[smhdwy]))+)$' },
    honorLabels: { type: 'boolean' },
  },
};

const definition: Record<string, unknown> = {
  group: 'monitoring.coreos.com',
  scope: 'Namespaced',
  names: {
    kind: 'ServiceMonitor',
    listKind: 'ServiceMonitorList',
    plural: 'servicemonitors',
    singular: 'servicemonitor',
  },
  versions: [
    {
      name: 'v1',
      served: true,
      storage: true,
      schema: {
        openAPIV3Schema: {
          type: 'object',
          required: ['spec'],
          properties: {
            spec: {
              type: 'object',
              required: ['endpoints', 'selector'],
              properties: {
                endpoints: { type: 'array', items: endpoint },
                jobLabel: { type: 'string' },
                namespaceSelector: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true },
                selector: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true },
              },
            },
          },
        },
      },
    },
  ],
};

/** Installs the definition until the check ends, and waits until the API serves it. One that the cluster has already stays. */
export async function provideServiceMonitors(lab: Lab): Promise<void> {
  const { kube } = lab;
  if (await kube.get(KIND, { name: NAME })) return;
  lab.defer(`delete CustomResourceDefinition ${NAME}`, () => kube.teardown.delete(KIND, { name: NAME }));
  await kube.create({ ...KIND, metadata: { name: NAME, labels: lab.labels }, spec: definition });
  await waitFor<undefined>({
    what: `CustomResourceDefinition ${NAME} to be established`,
    timeoutMs: 60_000,
    look: async () => {
      const isServed = isEstablished(await kube.get(KIND, { name: NAME }));
      return isServed ? { done: true, value: undefined } : { done: false, seen: 'not yet' };
    },
  });
}

function isEstablished(object: KubeObject | undefined): boolean {
  const status = object?.['status'] as { conditions?: { type: string; status: string }[] } | undefined;
  return status?.conditions?.some(({ type, status: is }) => type === 'Established' && is === 'True') ?? false;
}
