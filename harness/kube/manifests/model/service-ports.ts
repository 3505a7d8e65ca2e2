/** The ports of a workload's pods to which its Services lead. Pure. */
import type { Service } from '../../api/types.ts';
import { allContainers, field } from '../objects.ts';
import type { ModelWorkload } from './model.ts';
import type { TrafficPort } from './network-policies.ts';

/** Whether a port of a Service, an EndpointSlice or a container is one of TCP, which is the default. */
export function isTcp(port: object): boolean {
  return (field(port, 'protocol') ?? 'TCP') === 'TCP';
}

/** TCP ports only; named target ports that no container has are left out. */
export function targetPorts({ template, services }: ModelWorkload): (TrafficPort & { service: Service })[] {
  const declared = allContainers(template.spec).flatMap(({ container }) => container.ports ?? []);
  return services.flatMap((service) =>
    (service.spec.ports ?? []).filter(isTcp).flatMap(({ port, targetPort = port }) => {
      const target = declared.find(
        (one) => one.name === targetPort || one.containerPort === Number(targetPort),
      );
      const number = target?.containerPort ?? Number(targetPort);
      return Number.isInteger(number) ? [{ number, name: target?.name, service }] : [];
    }),
  );
}
