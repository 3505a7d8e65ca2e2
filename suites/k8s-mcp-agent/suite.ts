/** The k8s-mcp-agent suite: a DaemonSet on GPU nodes, and sessions with its agent through exec. */
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gpuGroup } from '../../clusters/topology.ts';
import { agentFaults } from '../../fixtures/faults/k8s-mcp-agent/index.ts';
import { gpuDevicePluginImage } from '../../fixtures/images/gpu-device-plugin.ts';
import { agentImage } from '../../fixtures/images/k8s-mcp-agent.ts';
import { withServiceLinks } from '../../fixtures/previous.ts';
import type { SuiteDefinition } from '../../harness/run/suite/definition.ts';
import { EVERY_SUITE } from '../any-chart/rows.ts';

const directory = fileURLToPath(new URL('.', import.meta.url));

export const agent: SuiteDefinition = {
  name: 'k8s-mcp-agent',
  title: 'k8s-mcp-agent, GPU diagnostics as a DaemonSet',
  directory,
  files: [
    'checks/manifests.e2e.ts',
    'checks/install.e2e.ts',
    'checks/security.e2e.ts',
    'checks/sessions.e2e.ts',
    'checks/session-life.e2e.ts',
    'checks/usage.e2e.ts',
    'checks/scheduling.e2e.ts',
    'checks/runtime-class.e2e.ts',
    'checks/nodes.e2e.ts',
  ],
  // Two GPU nodes with different numbers of GPUs, so that a constant in the agent fails; one node without, where no agent may run.
  topology: { groups: [gpuGroup([4, 1]), { name: 'plain', count: 1 }], runtimeClasses: ['nvidia'] },
  subject: {
    chart: join(directory, '..', '..', 'fixtures', 'charts', 'k8s-mcp-agent'),
    values: [],
    releaseName: 'k8s-mcp-agent',
    previous: { version: '0.0.9', patches: withServiceLinks('DaemonSet') },
    images: [
      { name: 'agent', recipe: agentImage, override: { containers: ['agent'] } },
      // Not part of the chart: a check starts it beside the agent.
      {
        name: 'device-plugin',
        recipe: gpuDevicePluginImage,
        override: { containers: [] },
        always: true,
      },
    ],
  },
  valuesVariants: {},
  faults: agentFaults,
  shared: EVERY_SUITE,
};
