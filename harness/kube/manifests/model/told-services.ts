/** The Services that the settings of a workload name: by a URL, or by a name with a port, in what its containers are given. Pure. */
import type { Service } from '../../api/types.ts';
import { allContainers, field } from '../objects.ts';
import type { ModelWorkload } from './model.ts';
import { isTcp } from './service-ports.ts';

export interface ToldService {
  service: Service;
  /** One of its TCP ports. */
  port: number;
  /** What says so: `http://web:80`. */
  words: string;
}

/** Ports of URLs that name none. */
const DEFAULT_PORTS: Readonly<Record<string, number>> = { http: 80, ws: 80, https: 443, wss: 443 };

/**
 * Reads environment variables, arguments and the ConfigMaps of the chart that the containers use. A name alone is no order to call it: the
 * name of a Service is also that of a certificate, for example.
 *
 * @param services all of the workload's namespace
 */
export function toldServices(workload: ModelWorkload, services: readonly Service[]): ToldService[] {
  const text = textsOf(workload).join('\n');
  const found = new Map<string, ToldService>();
  for (const service of services) {
    for (const told of mentions(text, service)) found.set(`${service.metadata.name}:${told.port}`, told);
  }
  return [...found.values()];
}

function textsOf({ template, configuration }: ModelWorkload): string[] {
  const given = allContainers(template.spec).flatMap(({ container }) => [
    ...(container.env ?? []).flatMap(({ value }) => value ?? []),
    ...(container.command ?? []),
    ...(container.args ?? []),
  ]);
  const configured = configuration
    .filter(({ kind }) => kind === 'ConfigMap')
    .flatMap(({ object }) => Object.values((field(object, 'data') ?? {}) as Record<string, string>));
  return [...given, ...configured].map(String);
}

function mentions(text: string, service: Service): ToldService[] {
  const name = service.metadata.name.replace(/[.]/g, '\\.');
  const url = String.raw`(?:(?<scheme>[a-z][a-z0-9+.-]*)://(?:[^/@\s]+@)?|(?<![\w.-]))`;
  const host = String.raw`${name}(?:\.[a-z0-9-]+(?:\.svc(?:\.[\w.-]+?)?)?)?`;
  const pattern = new RegExp(String.raw`${url}${host}(?::(?<port>\d+))?(?![\w.-])`, 'g');
  const ports = (service.spec.ports ?? []).filter(isTcp).map(({ port }) => port);
  return [...text.matchAll(pattern)].flatMap((match) => {
    const { scheme, port: stated } = match.groups ?? {};
    if (scheme === undefined && stated === undefined) return [];
    const only = ports.length === 1 ? ports[0] : undefined;
    const port = stated === undefined ? (DEFAULT_PORTS[scheme ?? ''] ?? only) : Number(stated);
    return port !== undefined && ports.includes(port) ? [{ service, port, words: hidden(match[0]) }] : [];
  });
}

/** Without the credentials of a URL. */
function hidden(words: string): string {
  return words.replace(/:\/\/[^/@\s]+@/, '://');
}
