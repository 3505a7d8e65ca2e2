/** How predicates select what they examine. A predicate that selected nothing does not hold. */
import type { KubeObject } from '../../kube/api/types.ts';
import { allContainers, nameOf, podSpecOf, type ContainerEntry } from '../../kube/manifests/objects.ts';
import type { PredicateResult } from './result.ts';

/** A container and the object that runs it. */
export interface OwnedContainer extends ContainerEntry {
  object: KubeObject;
  /** `Deployment toolman: init container setup`, for messages. */
  title: string;
}

/** Every container of the objects, init containers and sidecars included. */
export function containersOf(objects: readonly KubeObject[]): OwnedContainer[] {
  return objects.flatMap((object) => {
    const spec = podSpecOf(object);
    return spec
      ? allContainers(spec).map((entry) => ({ ...entry, object, title: titleOf(object, entry) }))
      : [];
  });
}

/** The container of that name, of any role. */
export function containerOf(object: KubeObject, name: string): OwnedContainer | undefined {
  return containersOf([object]).find((entry) => entry.container.name === name);
}

function titleOf(object: KubeObject, { role, container }: ContainerEntry): string {
  const what = role === 'main' ? 'container' : role === 'sidecar' ? 'sidecar' : `${role} container`;
  return `${nameOf(object)}: ${what} ${container.name}`;
}

/** The result when there is nothing to examine. */
export function selectedNothing(expected: string, what: string): PredicateResult {
  return { ok: false, expected, actual: `selected nothing: ${what}` };
}

/** The result when an object has no container of that name. */
export function noContainer(expected: string, object: KubeObject, name: string): PredicateResult {
  const nameMissing = `${nameOf(object)} has no container ${name}`;
  return { ...selectedNothing(expected, nameMissing), nameMissing };
}

/** The result for a list: ok when `wrong` finds nothing in any entry; counts and names the entries in which it does. */
export function everyOne<T>(
  entries: readonly T[],
  options: {
    expected: string;
    what: string;
    title: (entry: T) => string;
    wrong: (entry: T) => string | undefined;
  },
): PredicateResult {
  const { expected, what, title, wrong } = options;
  if (entries.length === 0) return selectedNothing(expected, `the manifests have no ${what}`);
  const details = entries.flatMap((entry) => {
    const why = wrong(entry);
    return why === undefined ? [] : [`${title(entry)} ${why}`];
  });
  const [first] = details;
  const actual =
    first === undefined
      ? `all ${entries.length} do`
      : `${details.length} of ${entries.length} do not: ${first}`;
  return {
    ok: details.length === 0,
    expected,
    actual,
    observed: [`examined ${entries.length} ${what}`],
    details,
  };
}
