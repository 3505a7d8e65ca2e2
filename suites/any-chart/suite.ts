/** The suite for any chart: all its expectations come from what the chart renders, none from a name. */
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { anyChartFaults } from '../../fixtures/faults/any-chart/index.ts';
import { busyboxImage, toolmanImage } from '../../fixtures/images/build.ts';
import { agentImage } from '../../fixtures/images/k8s-mcp-agent.ts';
import { noteOperatorImage } from '../../fixtures/images/note-operator.ts';
import { withoutLiveness } from '../../fixtures/previous.ts';
import type { SuiteDefinition } from '../../harness/run/suite/definition.ts';
import { EVERY_SUITE, OWN_RELEASES } from './rows.ts';

const directory = fileURLToPath(new URL('.', import.meta.url));
const charts = join(directory, '..', '..', 'fixtures', 'charts');

export const anyChart: SuiteDefinition = {
  name: 'any-chart',
  title: 'any chart, judged by what it renders',
  anyChart: true,
  directory,
  // The first file installs the shared release; the last one disturbs its own releases.
  files: [
    'checks/manifests.e2e.ts',
    'checks/install.e2e.ts',
    'checks/security.e2e.ts',
    'checks/services.e2e.ts',
    'checks/probes.e2e.ts',
    'checks/configuration.e2e.ts',
    'checks/storage.e2e.ts',
    'checks/releases.e2e.ts',
    'checks/uninstall.e2e.ts',
    'checks/pods.e2e.ts',
    'checks/updates.e2e.ts',
    'checks/versions.e2e.ts',
    'checks/drain.e2e.ts',
    'checks/autoscaling.e2e.ts',
    'checks/admission.e2e.ts',
    'checks/network.e2e.ts',
  ],
  // Two nodes, so that replicas can be apart.
  topology: { groups: [{ name: 'worker', count: 2 }] },
  subject: {
    chart: join(charts, 'assorted'),
    values: [],
    // Not the name of a chart: no check may depend on it.
    releaseName: 'any',
    images: [
      {
        name: 'busybox',
        recipe: busyboxImage,
        override: { containers: ['web', 'store', 'agent'] },
      },
    ],
    previous: { version: '0.9.0', patches: withoutLiveness('Deployment', 'StatefulSet') },
    // The charts of the other suites are subjects of this one, too.
    recipes: [toolmanImage, agentImage],
  },
  // Written like charts of somebody else. They have nothing in common with the first one.
  references: {
    quillkv: {
      chart: join(charts, 'quillkv'),
      values: [],
      images: [{ name: 'busybox', recipe: busyboxImage, override: { containers: ['quill'] } }],
      previous: { version: '2.2.0', patches: withoutLiveness('StatefulSet') },
    },
    parcelboard: {
      chart: join(charts, 'parcelboard'),
      values: [],
      images: [{ name: 'busybox', recipe: busyboxImage, override: { containers: ['httpd', 'courier'] } }],
      previous: { version: '0.13.0', patches: withoutLiveness('Deployment') },
    },
    operator: {
      chart: join(charts, 'operator'),
      values: [],
      images: [
        {
          name: 'note-operator',
          recipe: noteOperatorImage,
          override: { containers: ['controller', 'renderer', 'test'] },
        },
      ],
      previous: { version: '0.9.0', patches: withoutLiveness('Deployment') },
    },
  },
  // What Kubernetes and helm allow by default: a Deployment's progressDeadlineSeconds, and --timeout. A wait that is hopeless ends earlier.
  limits: { rolloutMs: 600_000, hookMs: 300_000 },
  valuesVariants: {},
  faults: anyChartFaults,
  shared: [...EVERY_SUITE, ...OWN_RELEASES],
};
