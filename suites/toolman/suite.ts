/** The Toolman suite: an MCP proxy as a Deployment with probes, a mounted ConfigMap and replicas that spread. */
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { toolmanTopology } from '../../clusters/topology.ts';
import { toolmanFaults } from '../../fixtures/faults/toolman/index.ts';
import { busyboxImage, toolmanImage } from '../../fixtures/images/build.ts';
import type { SuiteDefinition } from '../../harness/run/suite/definition.ts';

const directory = fileURLToPath(new URL('.', import.meta.url));
const fixtures = join(directory, '..', '..', 'fixtures');
const chart = join(fixtures, 'charts', 'toolman');

export const toolman: SuiteDefinition = {
  name: 'toolman',
  title: 'Toolman, an MCP proxy',
  directory,
  // The shared release is installed by the first file; the last ones disturb releases of their own.
  files: [
    'manifests.e2e.ts',
    'install.e2e.ts',
    'configuration.e2e.ts',
    'placement.e2e.ts',
    'resources.e2e.ts',
    'stability.e2e.ts',
    'probes.e2e.ts',
    'lifecycle.e2e.ts',
    'taints.e2e.ts',
  ],
  topology: toolmanTopology(),
  subject: {
    chart,
    values: [join(fixtures, 'values', 'toolman', 'reference.yaml')],
    releaseName: 'toolman',
    images: [
      {
        name: 'toolman',
        recipe: toolmanImage,
        override: (ref) => imageValues('image', ref),
      },
      {
        name: 'setup',
        recipe: busyboxImage,
        override: (ref) => imageValues('init.image', ref),
      },
    ],
  },
  valuesVariants: { production: join(chart, 'values-production.yaml') },
  faults: toolmanFaults,
  shared: ['X-01', 'X-02'],
};

/** `--set` pairs for a `{repository, tag}` block; a digest reference keeps its digest as tag suffix. */
function imageValues(block: string, ref: string): string[] {
  const [, repository = ref, tag = 'latest'] = /^(.+?)(?::([^:/]+))?$/.exec(ref) ?? [];
  return [`${block}.repository=${repository}`, `${block}.tag=${tag}`];
}
