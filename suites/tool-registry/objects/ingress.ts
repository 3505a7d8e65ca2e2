/** The documents' example of an Ingress, and whether its backends exist. */
import { z } from 'zod';
import { nothingWrong, type PredicateResult } from '../../../harness/observe/predicates/result.ts';
import type { KubeObject } from '../../../harness/kube/api/types.ts';
import { nameOf } from '../../../harness/kube/manifests/objects.ts';
import { inShape } from '../../../harness/run/suite/shape.ts';
import { SERVICE } from '../names.ts';

const ingressSchema = z.object({
  spec: z.object({
    tls: z.array(z.object({ hosts: z.array(z.string()), secretName: z.string() })),
    rules: z.array(
      z.object({
        host: z.string(),
        http: z.object({
          paths: z.array(
            z.object({
              path: z.string(),
              pathType: z.string(),
              backend: z.object({
                service: z.object({
                  name: z.string(),
                  port: z.object({ number: z.number().optional(), name: z.string().optional() }),
                }),
              }),
            }),
          ),
        }),
      }),
    ),
  }),
});

const portsSchema = z.object({
  spec: z.object({ ports: z.array(z.object({ port: z.number(), name: z.string().optional() })) }),
});

/** One host, everything below / to the registry, TLS with a certificate of that host. */
export function isExampleIngress(ingress: KubeObject): PredicateResult {
  const { tls, rules } = inShape(ingressSchema, ingress, nameOf(ingress)).spec;
  const [rule, ...more] = rules;
  const [route, ...moreRoutes] = rule?.http.paths ?? [];
  const { name, port } = route?.backend.service ?? {};
  const complaints = [
    ...(rule && more.length === 0 ? [] : [`${rules.length} rules instead of 1`]),
    ...(route?.path === '/' && route.pathType === 'Prefix' && moreRoutes.length === 0
      ? []
      : ['it does not route everything below / (Prefix)']),
    ...(name === SERVICE && port?.number === 8000
      ? []
      : [`it routes to ${name ?? 'nothing'}:${String(port?.number ?? port?.name)}`]),
    ...(tls.some(({ hosts }) => rule && hosts.includes(rule.host)) ? [] : ['no certificate is for its host']),
  ];
  return nothingWrong(`${nameOf(ingress)}: a host, / (Prefix) to ${SERVICE}:8000, a TLS secret`, complaints);
}

/** Every backend is a Service among the objects, with that port. */
export function routesExist(ingress: KubeObject, objects: readonly KubeObject[]): PredicateResult {
  const services = inShape(ingressSchema, ingress, nameOf(ingress)).spec.rules.flatMap(({ http }) =>
    http.paths.map(({ backend }) => backend.service),
  );
  const complaints = services.flatMap(({ name, port }) => {
    const service = objects.find((o) => o.kind === 'Service' && o.metadata.name === name);
    if (!service) return [`there is no Service ${name}`];
    const { ports } = inShape(portsSchema, service, nameOf(service)).spec;
    const exists = ports.some(
      (p) => p.port === port.number || (p.name !== undefined && p.name === port.name),
    );
    const has = ports.map((p) => p.port).join(', ');
    return exists ? [] : [`Service ${name} has port ${has}, not ${String(port.number ?? port.name)}`];
  });
  const result = nothingWrong(`${nameOf(ingress)} routes to Services and ports that exist`, complaints);
  return { ...result, ok: result.ok && services.length > 0 };
}
