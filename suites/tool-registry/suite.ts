/** The Tool Registry suite: plain manifests, migrations in an init container, PostgreSQL outside the cluster. */
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { registryFaults } from '../../fixtures/faults/tool-registry/index.ts';
import { toolRegistryPreviousImage, toolRegistryImage } from '../../fixtures/images/tool-registry.ts';
import type { SuiteDefinition } from '../../harness/run/suite/definition.ts';
import { EVERY_SUITE } from '../any-chart/rows.ts';
import { registryEnvironment, type RegistryOptions } from './environment.ts';
import type { RegistryNamespace } from './registry-namespace.ts';

const directory = fileURLToPath(new URL('.', import.meta.url));

export const registry: SuiteDefinition<RegistryOptions, RegistryNamespace> = {
  name: 'tool-registry',
  title: 'Tool Registry, an MCP server on PostgreSQL',
  directory,
  // The first file installs the shared release; the last ones disturb their own releases.
  files: [
    'checks/objects.e2e.ts',
    'checks/manifests.e2e.ts',
    'checks/install.e2e.ts',
    'checks/security.e2e.ts',
    'checks/migrations.e2e.ts',
    'checks/database.e2e.ts',
    'checks/api.e2e.ts',
    'checks/configuration.e2e.ts',
    'checks/life.e2e.ts',
    'checks/scaling.e2e.ts',
    'checks/outages.e2e.ts',
    'checks/network.e2e.ts',
    'checks/secrecy.e2e.ts',
  ],
  // One node for each replica. The autoscaler needs metrics.
  topology: { groups: [{ name: 'workers', count: 3 }], metrics: true },
  subject: {
    chart: join(directory, '..', '..', 'fixtures', 'manifests', 'tool-registry', 'base'),
    values: [],
    releaseName: 'tool-registry',
    // The release before, with one revision of the schema less.
    previous: {
      patches: [
        { images: { api: toolRegistryPreviousImage.ref, migrations: toolRegistryPreviousImage.ref } },
      ],
    },
    images: [
      {
        name: 'tool-registry-mcp',
        recipe: toolRegistryImage,
        override: { containers: ['api', 'migrations'] },
      },
      {
        // The release before, which knows one schema revision less: it runs beside the new one, and rollbacks lead to it.
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
  shared: [...EVERY_SUITE, 'X-03', 'X-05', 'X-08'],
};
