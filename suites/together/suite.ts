/** All systems on one cluster. The subject is the Tool Registry, because it needs an environment; the others are its neighbours. */
import { fileURLToPath } from 'node:url';
import { mergeTopologies } from '../../clusters/topology.ts';
import { togetherFaults } from '../../fixtures/faults/together/index.ts';
import type { SubjectImage, SuiteDefinition } from '../../harness/run/suite/definition.ts';
import type { RegistryOptions } from '../tool-registry/environment.ts';
import type { RegistryNamespace } from '../tool-registry/registry-namespace.ts';
import { registry } from '../tool-registry/suite.ts';
import { DOCKER_DAEMON } from '../toolman/suite.ts';
import { NEIGHBOURS } from './systems.ts';

export const together: SuiteDefinition<RegistryOptions, RegistryNamespace> = {
  name: 'together',
  title: 'all systems on one cluster',
  directory: fileURLToPath(new URL('.', import.meta.url)),
  files: ['checks/together.e2e.ts'],
  topology: mergeTopologies([registry, ...NEIGHBOURS].map(({ topology }) => topology)),
  subject: {
    ...registry.subject,
    images: [
      ...registry.subject.images.filter(runsInSubject),
      ...NEIGHBOURS.flatMap(({ subject }) => subject.images)
        .filter(runsInSubject)
        .map((image) => ({ ...image, always: true })),
    ],
  },
  ...(registry.environment && { environment: registry.environment }),
  // It has only shared ones.
  requirements: [],
  valuesVariants: {},
  faults: togetherFaults,
  shared: ['X-07', 'X-09'],
};

/** The others are means of checks, or off by default. */
function runsInSubject({ name, override }: SubjectImage): boolean {
  return name !== DOCKER_DAEMON && (typeof override === 'function' || override.containers.length > 0);
}
