/** The systems side by side: each in a namespace of its own, and all in one. */
import type { Pod } from '../../../harness/kube/api/types.ts';
import { modelOf } from '../../../harness/kube/manifests/model/subject-model.ts';
import { canBeTogether, selectOnlyTheirOwn } from '../../../harness/observe/predicates/rendered/clashes.ts';
import { nothingWrong, type PredicateResult } from '../../../harness/observe/predicates/result.ts';
import { expect } from '../../../harness/run/suite/assertions.ts';
import type { Lab } from '../../../harness/run/suite/lab.ts';
import { serveThroughDrain } from '../../any-chart/drain.ts';
import { holdingOf, removeAtEnd, uninstalled } from '../../any-chart/uninstalled.ts';
import { requirement } from '../kit.ts';
import { installSystems, namespacesFor, renderedSystems, type InstalledSystem } from '../systems.ts';

requirement(
  'X-09',
  'runs beside the other systems, in namespaces of their own and in one, and leaves nothing: no name, port or selector clashes',
  // Its inventory is that of the whole cluster.
  { release: 'none', disruptive: true, exclusive: true, timeoutMs: 1_200_000 },
  async ({ lab, kube, cluster, observe, note }) => {
    const kinds = await kube.resources();
    const clusterScoped = new Set(kinds.filter(({ namespaced }) => !namespaced).map(({ kind }) => kind));
    const controlNamespace = await lab.namespace();
    for (const where of ['apart', 'shared'] as const) {
      const namespaces = await namespacesFor(lab, where);
      const own = [...new Set(namespaces)];
      const [home] = own as [string];
      await lab.environment(home);
      await expect(canBeTogether(await renderedSystems(lab, namespaces), clusterScoped)).toHold();

      const { objects: before } = await holdingOf(kube, own);
      const systems = await installSystems(lab, namespaces);
      await expect(selectOnlyTheirOwn(systems, await podsOf(systems))).toHold();
      observe(`${systems.map(({ name }) => name).join(', ')} run in ${own.join(', ')}`);

      await Promise.all(systems.map(({ release }) => lab.uninstall(release)));
      const left = { before, controlNamespace, isAlone: cluster.provider === 'kind' };
      await expect(nothingLeft(lab, systems, left, note)).toHold();
    }
  },
);

requirement(
  'X-07',
  'serves on beside the other systems, each of them, while a node with pods of theirs is drained',
  { release: 'none', disruptive: true, exclusive: true, needs: ['node-cordon'], timeoutMs: 1_200_000 },
  async (context) => {
    const { lab } = context;
    const namespaces = await namespacesFor(lab, 'apart');
    await lab.environment(namespaces[0] ?? '');
    const systems = await installSystems(lab, namespaces);
    const serving = await serveThroughDrain(
      systems.map(({ release }) => release),
      context,
    );
    // Otherwise it would be the check of one system.
    expect(serving.length, `workloads of two replicas or more: ${serving.join(', ')}`).toBeGreaterThan(1);
  },
);

async function podsOf(systems: readonly InstalledSystem[]): Promise<Record<string, Pod[]>> {
  const pods = systems.map(async ({ name, release }) => [name, await release.pods()] as const);
  return Object.fromEntries(await Promise.all(pods));
}

/** Of all systems, because one may keep an object of another. */
async function nothingLeft(
  lab: Lab,
  systems: readonly InstalledSystem[],
  {
    isAlone,
    ...about
  }: Pick<Parameters<typeof uninstalled>[1], 'before' | 'controlNamespace'> & { isAlone: boolean },
  note: (text: string) => void,
): Promise<PredicateResult> {
  const own = [...new Set(systems.map(({ namespace }) => namespace))];
  const says = new Set<string>();
  for (const { release, objects } of systems) {
    const { workloads } = modelOf(objects, release);
    const graces = workloads.map(({ template }) => template.spec.terminationGracePeriodSeconds ?? 30);
    const all = await uninstalled(
      lab.kube,
      { release, own, rendered: objects, definitions: [], ...about },
      { graceSeconds: Math.max(0, ...graces), isAlone },
    );
    removeAtEnd(lab, own, all);
    for (const one of [...all.broken, ...all.advisable]) says.add(one.says);
    for (const one of all.meant) note(one.says);
  }
  return nothingWrong('nothing is left of the systems', [...says]);
}
