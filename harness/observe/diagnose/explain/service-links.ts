/** Variables that Kubernetes adds for each Service, and that an application takes for its own configuration. */
import type { Cause } from '../diagnosis.ts';
import type { Container, Pod } from '../../../kube/api/types.ts';
import type { World } from '../world.ts';

/**
 * The Service whose variable the log complains about: `REDIS_PORT` is `tcp://10.96.0.7:6379` in every pod that started after a Service named
 * redis (Kubernetes documentation, "Accessing the Service": environment variables).
 *
 * @param log of the container that failed
 * @returns undefined when the pod has no such variables, or when the log names none of them
 */
export function serviceLink(
  pod: Pod,
  container: Container | undefined,
  log: string | undefined,
  world: Pick<World, 'services'>,
): Cause | undefined {
  if (pod.spec['enableServiceLinks'] === false || log === undefined) return undefined;
  const own = new Set((container?.env ?? []).map(({ name }) => name));
  for (const { metadata, spec } of world.services) {
    const prefix = metadata.name.toUpperCase().replaceAll('-', '_');
    const variable = `${prefix}_PORT`;
    const [port] = spec.ports ?? [];
    const ip = spec.clusterIP;
    if (own.has(variable) || !port || ip === undefined || ip === '' || ip === 'None') continue;
    const value = `tcp://${ip}:${port.port}`;
    const names = new RegExp(`\\b${prefix}_(PORT|SERVICE_HOST|SERVICE_PORT)\\b`).test(log);
    if (!log.includes(value) && !names) continue;
    return {
      object: `Service ${metadata.name}`,
      says: `gives every pod of its namespace the variable ${variable}=${value}, which the container does not set itself`,
    };
  }
  return undefined;
}
