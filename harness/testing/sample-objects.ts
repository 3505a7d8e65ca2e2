/** Objects of a small valid system, for tests that break it in one place. */
import { parseObject } from '../kube/manifests/parse.ts';
import type { Container, KubeObject, PodSpec } from '../kube/api/types.ts';

export const LABELS = { 'app.kubernetes.io/name': 'web', 'app.kubernetes.io/instance': 'web' };

export function sampleContainer(overrides: Partial<Container> = {}): Container {
  return {
    name: 'web',
    image: 'example.org/web:1.2.3',
    imagePullPolicy: 'IfNotPresent',
    ports: [{ name: 'http', containerPort: 3000 }],
    resources: { requests: { cpu: '100m', memory: '128Mi' }, limits: { cpu: '500m', memory: '512Mi' } },
    livenessProbe: { httpGet: { path: '/health', port: 'http' }, initialDelaySeconds: 30 },
    readinessProbe: { httpGet: { path: '/ready', port: 'http' }, initialDelaySeconds: 5, periodSeconds: 5 },
    volumeMounts: [{ name: 'config', mountPath: '/config' }],
    securityContext: { readOnlyRootFilesystem: true },
    ...overrides,
  };
}

export function samplePodSpec(overrides: Partial<PodSpec> = {}): PodSpec {
  return {
    containers: [sampleContainer()],
    volumes: [
      { name: 'config', configMap: { name: 'web-config', items: [{ key: 'a.json', path: 'a.json' }] } },
    ],
    securityContext: { runAsNonRoot: true, runAsUser: 1001 },
    ...overrides,
  };
}

export function sampleDeployment(
  spec: Partial<PodSpec> = {},
  fields: Record<string, unknown> = {},
): KubeObject {
  return object('apps/v1', 'Deployment', 'web', {
    spec: {
      replicas: 2,
      selector: { matchLabels: LABELS },
      template: { metadata: { labels: LABELS }, spec: samplePodSpec(spec) },
      ...fields,
    },
  });
}

export function sampleService(spec: Record<string, unknown> = {}): KubeObject {
  return object('v1', 'Service', 'web', {
    spec: { selector: LABELS, ports: [{ name: 'http', port: 80, targetPort: 'http' }], ...spec },
  });
}

export function sampleConfigMap(data: Record<string, string> = { 'a.json': '{}' }): KubeObject {
  return object('v1', 'ConfigMap', 'web-config', { data });
}

export function sampleSystem(spec: Partial<PodSpec> = {}): KubeObject[] {
  return [sampleConfigMap(), sampleService(), sampleDeployment(spec)];
}

export function object(
  apiVersion: string,
  kind: string,
  name: string,
  fields: Record<string, unknown> = {},
): KubeObject {
  return parseObject({ apiVersion, kind, metadata: { name }, ...fields });
}
