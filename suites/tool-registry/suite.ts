/** The Tool Registry suite: plain manifests, migrations in an init container, PostgreSQL beside the cluster. */
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { registryFaults } from '../../fixtures/faults/tool-registry/index.ts';
import { toolRegistryPreviousImage, toolRegistryImage } from '../../fixtures/images/tool-registry.ts';
import type { SuiteDefinition } from '../../harness/run/suite/definition.ts';
import { registryEnvironment } from './environment.ts';

const directory = fileURLToPath(new URL('.', import.meta.url));

export const registry: SuiteDefinition = {
  name: 'tool-registry',
  title: 'Tool Registry, an MCP server on PostgreSQL',
  directory,
  // The shared release is installed by the first file; the last ones disturb releases of their own.
  files: [
    'objects.e2e.ts',
    'manifests.e2e.ts',
    'install.e2e.ts',
    'security.e2e.ts',
    'migrations.e2e.ts',
    'database.e2e.ts',
    'api.e2e.ts',
    'configuration.e2e.ts',
    'life.e2e.ts',
    'scaling.e2e.ts',
    'outages.e2e.ts',
    'network.e2e.ts',
    'secrecy.e2e.ts',
  ],
  // One node for each replica; the autoscaler needs metrics.
  topology: { groups: [{ name: 'workers', count: 3 }], metrics: true },
  subject: {
    chart: join(directory, '..', '..', 'fixtures', 'manifests', 'tool-registry', 'base'),
    values: [],
    releaseName: 'tool-registry',
    images: [
      {
        name: 'tool-registry-mcp',
        recipe: toolRegistryImage,
        override: { containers: ['api', 'migrations'] },
      },
      {
        // An application that knows one revision of the schema less: what runs beside the new one, and what is gone back to.
        name: 'previous',
        recipe: toolRegistryPreviousImage,
        override: { containers: [] },
        always: true,
      },
    ],
  },
  environment: registryEnvironment,
  valuesVariants: {},
  faults: registryFaults,
  shared: ['X-01', 'X-02', 'X-03', 'X-05', 'X-08'],
};
