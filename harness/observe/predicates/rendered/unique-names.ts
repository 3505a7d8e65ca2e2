/** Names that must not occur twice in one list of a manifest. */
import type { Container, KubeObject } from '../../../kube/api/types.ts';
import { allContainers, nameOf, podSpecOf } from '../../../kube/manifests/objects.ts';
import { nothingWrong, type PredicateResult } from '../result.ts';
import { selectedNothing } from '../select.ts';

/**
 * No environment variable, port, volume, mount path or container has the name of another one in its list. The API server accepts some of
 * these and lets the last one win; a later server-side apply refuses them.
 */
export function namesAreUnique(objects: readonly KubeObject[]): PredicateResult {
  const expected = 'no name occurs twice in one list';
  if (objects.length === 0) return selectedNothing(expected, 'there are no objects');
  const complaints = objects.flatMap((object) => {
    const spec = podSpecOf(object);
    if (!spec) return [];
    const containers = allContainers(spec).map(({ container }) => container);
    return [
      ...repeated(containers.map(({ name }) => name)).map((name) => `has two containers ${name}`),
      ...repeated((spec.volumes ?? []).map(({ name }) => name)).map((name) => `has two volumes ${name}`),
      ...containers.flatMap(repeatedIn),
    ].map((why) => `${nameOf(object)} ${why}`);
  });
  return { ...nothingWrong(expected, complaints), observed: [`names of ${objects.length} objects`] };
}

function repeatedIn({ name, env = [], ports = [], volumeMounts = [] }: Container): string[] {
  const lists: [string, string[]][] = [
    ['variables', env.map((variable) => variable.name)],
    ['ports', ports.flatMap((port) => port.name ?? [])],
    ['mounts at', volumeMounts.map(({ mountPath }) => mountPath)],
  ];
  return lists.flatMap(([what, values]) =>
    repeated(values).map((value) => `has two ${what} ${value} in container ${name}`),
  );
}

function repeated(names: readonly string[]): string[] {
  return [...new Set(names.filter((name, index) => names.indexOf(name) !== index))];
}
