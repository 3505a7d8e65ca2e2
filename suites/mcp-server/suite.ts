/** The suite of MCP servers: one generic chart for any server, over HTTP or on stdio. */
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { mcpServerFaults } from '../../fixtures/faults/mcp-server/index.ts';
import { busyboxImage } from '../../fixtures/images/build.ts';
import { mcpClientImage, mcpGatewayImage, mcpServerImage } from '../../fixtures/images/mcp-server.ts';
import { withoutLiveness } from '../../fixtures/previous.ts';
import type { SubjectImage, SuiteDefinition } from '../../harness/run/suite/definition.ts';
import { EVERY_SUITE } from '../any-chart/rows.ts';
import { imageValues } from './image-values.ts';
import { validatePlatform } from './platform/description.ts';
import { THROUGH_PLATFORM } from './platform/rows.ts';

const directory = fileURLToPath(new URL('.', import.meta.url));
const fixtures = join(directory, '..', '..', 'fixtures');
const chart = join(fixtures, 'charts', 'mcp-server');
const values = [join(fixtures, 'values', 'mcp-server', 'reference.yaml')];

/** Name of the image. */
export const GATEWAY = 'mcp-gateway';

const images: readonly SubjectImage[] = [
  {
    name: 'mcp-server',
    recipe: mcpServerImage,
    override: imageValues,
  },
  {
    name: 'mcp-client',
    recipe: mcpClientImage,
    // No container of the subject: the checks call from it.
    override: { containers: [] },
    always: true,
  },
  {
    // In front of several servers; only checks of these need it.
    name: GATEWAY,
    recipe: mcpGatewayImage,
    override: { containers: [] },
  },
  {
    name: 'test',
    recipe: busyboxImage,
    override: { containers: ['test-connection'] },
  },
];

export const mcpServer: SuiteDefinition = {
  name: 'mcp-server',
  title: 'MCP servers, with one chart for any of them',
  directory,
  // The first files read what is rendered and share one release; the last ones install their own.
  files: [
    'checks/manifests.e2e.ts',
    'checks/values.e2e.ts',
    'checks/templates.e2e.ts',
    'checks/install.e2e.ts',
    'checks/network.e2e.ts',
    'checks/variants.e2e.ts',
    'checks/life.e2e.ts',
    'checks/several.e2e.ts',
    'checks/routing.e2e.ts',
    'checks/platform.e2e.ts',
    'checks/platform-state.e2e.ts',
  ],
  // Two nodes, so that replicas can be apart.
  topology: { groups: [{ name: 'worker', count: 2 }], metrics: true },
  subject: {
    chart,
    values,
    releaseName: 'mcp',
    previous: { version: '0.9.0', patches: withoutLiveness('Deployment') },
    images,
  },
  references: {
    // A platform in another language, which creates the objects of a server itself.
    wharf: {
      chart,
      values,
      images,
      platform: join(fixtures, 'platforms', 'wharf', 'platform.yaml'),
    },
  },
  // Servers of others may start slowly: what Kubernetes and helm allow by default, as in any-chart.
  limits: { rolloutMs: 600_000, hookMs: 300_000 },
  platform: { requirements: THROUGH_PLATFORM, validate: validatePlatform },
  valuesVariants: {},
  faults: mcpServerFaults,
  shared: EVERY_SUITE,
};
