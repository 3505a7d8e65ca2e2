/** Services through which a workload serves HTTP, and whether an update of the workload may keep it serving. */
import type { Container, Probe, Service } from '../../../kube/api/types.ts';
import type { ModelWorkload } from '../../../kube/manifests/model/model.ts';
import { isTcp } from '../../../kube/manifests/model/service-ports.ts';
import { allContainers, field } from '../../../kube/manifests/objects.ts';
import { updateMargins } from '../../../kube/manifests/update-margins.ts';

export interface HttpService {
  service: Service;
  workload: ModelWorkload;
  /** Of the Service. */
  port: number;
  /** That of an HTTP probe of the port, else `/`. */
  path: string;
}

/**
 * The Services with an address of their own whose port is one of HTTP: by its name or `appProtocol`, or because a probe of the container
 * sends HTTP to it. One port for each.
 */
export function httpServicesOf(workload: ModelWorkload): HttpService[] {
  const { spec } = workload.template;
  const containers = allContainers(spec)
    .filter(({ role }) => role !== 'init')
    .map(({ container }) => container);
  return workload.services.flatMap((service) => {
    if (service.spec.clusterIP === 'None' || service.spec.type === 'ExternalName') return [];
    for (const port of service.spec.ports ?? []) {
      if (!isTcp(port)) continue;
      const target = portOf(containers, port.targetPort ?? port.port);
      const probe = httpProbeOf(containers, target);
      const scheme = probe?.httpGet?.scheme ?? 'HTTP';
      if (scheme !== 'HTTP' || (!probe && !isNamedHttp(port))) continue;
      return [{ service, workload, port: port.port, path: probe?.httpGet?.path ?? '/' }];
    }
    return [];
  });
}

function isNamedHttp(port: { name?: string }): boolean {
  return /^http($|[^s])/i.test(port.name ?? '') || field(port, 'appProtocol') === 'http';
}

/** A readiness probe asks for what a client may ask for; a liveness probe is the next best. */
function httpProbeOf(containers: readonly Container[], target: number | undefined): Probe | undefined {
  return (['readinessProbe', 'livenessProbe', 'startupProbe'] as const)
    .flatMap((name) => containers.flatMap((container) => container[name] ?? []))
    .find(({ httpGet }) => httpGet && portOf(containers, httpGet.port) === target);
}

function portOf(containers: readonly Container[], port: number | string): number | undefined {
  if (typeof port === 'number') return port;
  return containers.flatMap(({ ports = [] }) => ports).find(({ name }) => name === port)?.containerPort;
}

/**
 * Why an update of the workload cannot be expected to keep a pod serving; `undefined` when it can.
 *
 * @returns completes a sentence that starts with its name
 */
export function whyUpdateInterrupts({ object, template, replicas }: ModelWorkload): string | undefined {
  if (object.kind !== 'Deployment') return 'is no Deployment';
  const wanted = replicas?.least ?? 1;
  if (wanted === 0) return 'has 0 replicas';
  const isProbed = template.spec.containers.some(({ readinessProbe }) => readinessProbe !== undefined);
  if (!isProbed) return 'has no readiness probe, so nothing says when a new pod can serve';
  const strategy = field(object['spec'], 'strategy');
  if (field(strategy, 'type') === 'Recreate') return 'has strategy Recreate, which ends all pods first';
  const { unavailable: away } = updateMargins(strategy, wanted);
  return wanted > away
    ? undefined
    : `may be updated with ${away} of ${wanted} pods unavailable (maxUnavailable)`;
}
