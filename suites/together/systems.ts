/** The four systems on one cluster: the subject, which is the Tool Registry, and the others as its neighbours. */
import type { System } from '../../harness/observe/predicates/rendered/clashes.ts';
import type { Lab, Neighbour } from '../../harness/run/suite/lab.ts';
import type { Release } from '../../harness/run/suite/release.ts';
import type { SuiteDefinition } from '../../harness/run/suite/definition.ts';
import { agent } from '../k8s-mcp-agent/suite.ts';
import { mcpServer } from '../mcp-server/suite.ts';
import { registry } from '../tool-registry/suite.ts';
import { toolman } from '../toolman/suite.ts';

/** Suites whose reference subjects are installed as they are. */
export const NEIGHBOURS: readonly Pick<SuiteDefinition, 'name' | 'subject' | 'topology'>[] = [
  toolman,
  agent,
  mcpServer,
];

export interface InstalledSystem extends System {
  release: Release;
}

/** The one without `neighbour` is the subject, for which the environment of the suite is. */
const SYSTEMS: readonly { name: string; neighbour?: Neighbour }[] = [
  { name: registry.name },
  ...NEIGHBOURS.map(({ name, subject: { chart, values, releaseName } }) => ({
    name,
    neighbour: { name, chart, values, releaseName },
  })),
];

/** What the systems render in these namespaces, one for each. */
export async function renderedSystems(lab: Lab, namespaces: readonly string[]): Promise<System[]> {
  return Promise.all(
    SYSTEMS.map(async ({ name, ...which }, at) => {
      const namespace = namespaces[at] ?? '';
      const { objects } = await lab.render({ ...which, namespace });
      return { name, namespace, objects };
    }),
  );
}

/** New namespaces for the systems: one for each, or one for all. */
export async function namespacesFor(lab: Lab, where: 'apart' | 'shared'): Promise<string[]> {
  const shared = await lab.namespace();
  const namespaces: string[] = [];
  for (const { neighbour } of SYSTEMS)
    namespaces.push(where === 'shared' || !neighbour ? shared : await lab.namespace());
  return namespaces;
}

/**
 * Installs all systems at the same time, and waits until they are rolled out.
 *
 * @throws the error of the first in their order that fails, after the installs of all have ended
 */
export async function installSystems(lab: Lab, namespaces: readonly string[]): Promise<InstalledSystem[]> {
  const installs = SYSTEMS.map(async ({ name, ...which }, at): Promise<InstalledSystem> => {
    const namespace = namespaces[at] ?? '';
    const release = await lab.install({ ...which, namespace });
    return { name, namespace, objects: release.objects, release };
  });
  // An install that is still under way could not be undone.
  await Promise.allSettled(installs);
  return Promise.all(installs);
}
