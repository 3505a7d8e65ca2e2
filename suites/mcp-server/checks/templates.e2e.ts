/** The values that stand for the metadata of a template make the server that the template describes. */
import type { Container } from '../../../harness/kube/api/types.ts';
import { nothingWrong } from '../../../harness/observe/predicates/result.ts';
import { expect } from '../../../harness/run/suite/assertions.ts';
import { fromConfigMaps, mountedTexts } from '../configuration.ts';
import { requirement } from '../kit.ts';
import { onlyService, portOf, renderServer, targetOf, variablesOf, type Server } from '../server.ts';

const IMAGE = { repository: 'registry.example.org/templates/demo', tag: '2.1.0' };
const COMMAND = ['python3', '-m', 'demo_server'];
const PORT = 9393;
const TRANSPORTS = ['http', 'streamable-http', 'sse', 'stdio'];

/** As for `--set`. */
const METADATA = [
  `image.repository=${IMAGE.repository}`,
  `image.tag=${IMAGE.tag}`,
  ...COMMAND.map((word, at) => `mcp.command[${at}]=${word}`),
  'config.KP_MODE=strict',
];

requirement(
  'M-52',
  'becomes what the metadata of a template says, over HTTP and on stdio: transport, port, image, command, configuration',
  { release: 'none', static: true },
  async ({ lab, observe }) => {
    const http = await renderServer(lab, { set: [...METADATA, 'mcp.transport=http', `mcp.port=${PORT}`] });
    await expect(becomes(http, 'http')).toHold();
    const service = onlyService(http.model);
    expect(targetOf(service, http.container), 'port of a server over HTTP, behind its Service').toBe(PORT);
    const probed = [http.container.readinessProbe, http.container.livenessProbe].flatMap(
      (probe) => probe?.httpGet ?? [],
    );
    for (const { port } of probed)
      expect(numberOf(http.container, port), 'port that a probe of a server over HTTP asks').toBe(PORT);
    observe(`http: port ${portOf(service).port} leads to ${PORT}; transport ${said(http.container)}`);

    const stdio = await renderServer(lab, { set: [...METADATA, 'mcp.transport=stdio'] });
    await expect(becomes(stdio, 'stdio')).toHold();
    expect(
      stdio.model.services.map(({ metadata }) => metadata.name),
      'Services of a server on stdio',
    ).toEqual([]);
    expect(stdio.container.ports ?? [], 'ports of a server on stdio').toEqual([]);
    expect(stdio.container['stdin'], 'standard input of a server on stdio').toBe(true);
    observe(`stdio: no Service and no port; transport ${said(stdio.container)}`);
  },
);

/** Image, command, configuration and transport are those of the template. */
function becomes(server: Server, transport: 'http' | 'stdio') {
  const { container, model } = server;
  const uses = model.configuration.filter((use) => use.container === container.name);
  const inVariable = fromConfigMaps(container, uses).get('KP_MODE')?.value === 'strict';
  const inFile = mountedTexts(server, uses).some(({ text }) => text.includes('strict'));
  const image = `${IMAGE.repository}:${IMAGE.tag}`;
  const command = (container.command ?? []).join(' ');
  const told = transportsIn(container);
  return nothingWrong(`a template with the transport ${transport} becomes a server as it says`, [
    ...(container.image === image ? [] : [`image ${container.image} in place of ${image}`]),
    ...(command === COMMAND.join(' ') ? [] : [`command "${command}" in place of "${COMMAND.join(' ')}"`]),
    ...(inVariable || inFile ? [] : ['the configuration KP_MODE does not reach the server']),
    // A server may also find out by itself.
    ...(told.length === 0 || told.includes(transport)
      ? []
      : [`the server is told the transport ${told.join(', ')}`]),
  ]);
}

function said(container: Container): string {
  return transportsIn(container).join(', ') || 'not told to the server';
}

/** Transports that variables and arguments of a container name. */
function transportsIn(container: Container): string[] {
  const words = [...variablesOf(container).flatMap(({ value }) => value ?? []), ...(container.args ?? [])];
  return TRANSPORTS.filter((transport) => words.some((word) => word.split('=').at(-1) === transport));
}

function numberOf({ ports = [] }: Container, port: number | string): number | undefined {
  return typeof port === 'number' ? port : ports.find(({ name }) => name === port)?.containerPort;
}
