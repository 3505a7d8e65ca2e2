/** Which value of a chart holds the tool servers. */
import { isDeepStrictEqual } from 'node:util';
import { z } from 'zod';
import { DoesNotFit } from '../../harness/core/errors.ts';
import { declaredValues, leavesOf, unknownValues } from '../../harness/kube/helm/unknown-values.ts';
import { find } from '../../harness/kube/manifests/objects.ts';
import type { Lab } from '../../harness/run/suite/lab.ts';
import type { Release } from '../../harness/run/suite/release.ts';
import { inShape, parseJsonOf } from '../../harness/run/suite/shape.ts';
import { configurationOf } from './server.ts';

const DOCUMENTED = 'config.servers';
const configuration = z.looseObject({ servers: z.record(z.string(), z.unknown()) });

/** The tool servers that a text of the configuration has, by name. @throws CheckFailure when the text has another form */
export function serversOf(text: string, what: string): Record<string, unknown> {
  return inShape(configuration, parseJsonOf(text, what), what).servers;
}

/**
 * The documented value where the chart declares it; otherwise the one that has the servers of the rendered configuration, and that adds one
 * to it.
 *
 * @returns its path for `--set`
 * @throws DoesNotFit when no value does
 */
export async function serversValue(lab: Lab): Promise<string> {
  const source = lab.source();
  const added = (path: string): string => `${path}.kindproof.transport=http`;
  if ((await unknownValues(source, [added(DOCUMENTED)])).length === 0) return DOCUMENTED;
  const servers = renderedServers(await lab.subject());
  for (const path of pathsHolding(await declaredValues(source), servers)) {
    const { objects } = await lab.render({ set: [added(path)] });
    if (Object.hasOwn(renderedServers({ objects, namespace: source.namespace }), 'kindproof')) return path;
  }
  throw new DoesNotFit(`the chart has no value ${DOCUMENTED}, and no other value holds its tool servers`);
}

function renderedServers(rendered: Pick<Release, 'objects' | 'namespace'>): Record<string, unknown> {
  const { name, key } = configurationOf(rendered);
  const { data } = (find(rendered.objects, 'ConfigMap', name) ?? {}) as { data?: Record<string, string> };
  const text = data?.[key];
  if (text === undefined) throw new DoesNotFit(`the chart renders no ConfigMap ${name} with the key ${key}`);
  return serversOf(text, `${key} of ConfigMap ${name}`);
}

/** Paths below which the values are those of the tree. None for an empty tree. */
export function pathsHolding(
  values: readonly { path: string; value: unknown }[],
  tree: Readonly<Record<string, unknown>>,
): string[] {
  const [first, ...others] = leavesOf(tree);
  if (!first || first.path === '') return [];
  const has = (path: string, value: unknown): boolean =>
    values.some((one) => one.path === path && isDeepStrictEqual(one.value, value));
  return values
    .filter(({ path, value }) => path.endsWith(`.${first.path}`) && isDeepStrictEqual(value, first.value))
    .map(({ path }) => path.slice(0, -first.path.length - 1))
    .filter((path) => others.every((leaf) => has(`${path}.${leaf.path}`, leaf.value)));
}
