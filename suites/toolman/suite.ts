/** The Toolman suite: an MCP proxy as a Deployment with probes, a mounted ConfigMap and replicas that spread. */
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { toolmanFaults } from '../../fixtures/faults/toolman/index.ts';
import { busyboxImage, toolmanImage } from '../../fixtures/images/build.ts';
import { dockerDaemonImage } from '../../fixtures/images/docker-daemon.ts';
import { mcpClientImage } from '../../fixtures/images/mcp-server.ts';
import { withoutLiveness } from '../../fixtures/previous.ts';
import type { SuiteDefinition } from '../../harness/run/suite/definition.ts';
import { EVERY_SUITE } from '../any-chart/rows.ts';

const directory = fileURLToPath(new URL('.', import.meta.url));
const fixtures = join(directory, '..', '..', 'fixtures');
const chart = join(fixtures, 'charts', 'toolman');

/** Name of the image, and of the container that the documents describe. */
export const DOCKER_DAEMON = 'docker-daemon';

export const toolman: SuiteDefinition = {
  name: 'toolman',
  title: 'Toolman, an MCP proxy',
  directory,
  // The first file installs the shared release; those that disturb have their own releases.
  files: [
    'checks/manifests.e2e.ts',
    'checks/install.e2e.ts',
    'checks/configuration.e2e.ts',
    'checks/placement.e2e.ts',
    'checks/resources.e2e.ts',
    'checks/stability.e2e.ts',
    'checks/probes.e2e.ts',
    'checks/lifecycle.e2e.ts',
    'checks/taints.e2e.ts',
    'checks/variants.e2e.ts',
    'checks/container.e2e.ts',
    'checks/permissions.e2e.ts',
    'checks/admission.e2e.ts',
    'checks/startup.e2e.ts',
    'checks/disruptions.e2e.ts',
    'checks/releases.e2e.ts',
    'checks/production.e2e.ts',
    'checks/network-policy.e2e.ts',
    'checks/autoscaling.e2e.ts',
    'checks/docker.e2e.ts',
    'checks/docker-daemon.e2e.ts',
    'checks/mcp.e2e.ts',
    'checks/change.e2e.ts',
  ],
  // One node for each of the three replicas, with the label that the chart's nodeSelector selects. The autoscaler needs metrics.
  topology: { groups: [{ name: 'tools', count: 3, labels: { 'workload-type': 'tools' } }], metrics: true },
  subject: {
    chart,
    values: [join(fixtures, 'values', 'toolman', 'reference.yaml')],
    releaseName: 'toolman',
    previous: { version: '0.9.0', patches: withoutLiveness('Deployment') },
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
      {
        // Checks call the server with it, as agents do.
        name: 'mcp-client',
        recipe: mcpClientImage,
        override: { containers: [] },
        always: true,
      },
      {
        // The sidecar of the chart, which is off by default: only checks of it need the image.
        name: DOCKER_DAEMON,
        recipe: dockerDaemonImage,
        override: (ref) => imageValues('dind.image', ref),
      },
    ],
  },
  valuesVariants: { production: join(chart, 'values-production.yaml') },
  faults: toolmanFaults,
  shared: EVERY_SUITE,
};

/** `--set` pairs for a `{repository, tag}` block; a digest reference keeps its digest as tag suffix. */
function imageValues(block: string, ref: string): string[] {
  const [, repository = ref, tag = 'latest'] = /^(.+?)(?::([^:/]+))?$/.exec(ref) ?? [];
  return [`${block}.repository=${repository}`, `${block}.tag=${tag}`];
}
