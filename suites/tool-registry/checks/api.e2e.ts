/** The HTTP interface, through the Service and through every replica. */
import { z } from 'zod';
import { expect } from '../../../harness/run/suite/assertions.ts';
import { inShape, parseJsonOf } from '../../../harness/run/suite/shape.ts';
import { healthy, registryApi } from '../api/api-client.ts';
import { requirement } from '../kit.ts';
import { serverPods } from '../roles.ts';

const MCP_PATHS = ['/mcp/list_tools', '/mcp/find_tool', '/mcp/call_tool'];
const openapiSchema = z.object({ openapi: z.string(), paths: z.record(z.string(), z.unknown()) });

requirement(
  'R-27',
  'answers /health with status healthy and database true, through the Service and from every pod',
  async ({ release, observe }) => {
    for (const pod of [undefined, ...(await serverPods(release))]) {
      const api = registryApi(release, pod);
      const { status, body } = await healthy(api);
      expect(status, `GET /health of ${api.title}`).toBe(200);
      expect(body.database, `database in /health of ${api.title}`).toBe(true);
      observe(`${api.title}: ${status}, ${body.status}, database ${String(body.database)}`);
    }
  },
);

requirement(
  'R-28',
  'documents its API at /docs, and its MCP paths in /openapi.json',
  async ({ release, observe }) => {
    const api = registryApi(release);
    const docs = await api.reach('GET', '/docs');
    expect(docs.status, 'GET /docs').toBe(200);
    expect(docs.headers['content-type'], 'content type of /docs').toMatch(/^text\/html\b/);
    expect(docs.body, '/docs loads the description').toContain('/openapi.json');
    const openapi = await api.reach('GET', '/openapi.json');
    expect(openapi.status, 'GET /openapi.json').toBe(200);
    const { paths } = inShape(openapiSchema, parseJsonOf(openapi.body, '/openapi.json'), '/openapi.json');
    expect(Object.keys(paths), 'paths in /openapi.json').toEqual(expect.arrayContaining(MCP_PATHS));
    observe(`/docs is HTML; /openapi.json describes ${Object.keys(paths).length} paths`);
  },
);

requirement(
  'R-29',
  'serves the MCP endpoints, and finds through every replica a tool that was registered through one',
  async ({ release, lab, observe }) => {
    const [first, ...others] = await serverPods(release);
    const tool = {
      name: 'kindproof-barometer',
      description: 'reads the barometric pressure of a weather station',
    };
    const id = await registryApi(release, first).register(tool);
    // Other checks use the same registry.
    lab.defer(`unregister ${tool.name}`, () => registryApi(release).unregister(id));
    expect(others.length, 'replicas that did not register it').toBeGreaterThan(0);
    for (const pod of [...others, undefined]) {
      const api = registryApi(release, pod);
      expect(await api.listTools(), `list_tools of ${api.title}`).toContain(tool.name);
      const [best] = await api.findTool({ query: `${tool.name}: ${tool.description}`, limit: 1 });
      expect(best?.name, `find_tool of ${api.title}`).toBe(tool.name);
      await api.callTool(tool.name, { station: 'north' });
    }
    observe(
      `registered through ${first?.metadata.name ?? ''}; listed, found and called through ${others.length} others and the Service`,
    );
  },
);
