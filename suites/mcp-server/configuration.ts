/** What a container has to have from the ConfigMaps of its chart. */
import { DoesNotFit } from '../../harness/core/errors.ts';
import type { Container } from '../../harness/kube/api/types.ts';
import type { UsedConfiguration } from '../../harness/kube/manifests/model/model.ts';
import type { Release } from '../../harness/run/suite/release.ts';
import { type Server, serverOf, variablesOf } from './server.ts';

type Uses = readonly Pick<UsedConfiguration, 'kind' | 'name' | 'object'>[];

/** Names that a shell accepts: the kubelet may leave others out. */
const VARIABLE = /^[A-Za-z_][A-Za-z0-9_]*$/;

/**
 * The variables that `envFrom` brings from these ConfigMaps. Of several sources the last one counts, and `env` counts more than all of them
 * (Container, v1).
 */
export function fromConfigMaps(
  container: Container,
  uses: Uses,
): Map<string, { value: string; map: string }> {
  const found = new Map<string, { value: string; map: string }>();
  for (const source of container.envFrom ?? []) {
    const { configMapRef, prefix = '' } = source as typeof source & { prefix?: string };
    const map = configMapRef?.name;
    const data = map === undefined ? undefined : dataOf(uses, map);
    // What another source brings is not known, and may replace what is known.
    if (map === undefined || data === undefined) found.clear();
    for (const [key, value] of Object.entries(data ?? {}))
      if (VARIABLE.test(`${prefix}${key}`)) found.set(`${prefix}${key}`, { value, map: map ?? '' });
  }
  for (const { name } of variablesOf(container)) found.delete(name);
  return found;
}

/** @throws DoesNotFit when the chart makes of its value `config` something else than variables from a ConfigMap: files, for example */
export function needVariable(release: Release, name: string): void {
  const { model, container } = serverOf(release);
  const uses = model.configuration.filter(
    (use) => use.kind === 'ConfigMap' && use.use === 'environment' && use.container === container.name,
  );
  const variables = fromConfigMaps(container, uses);
  const refers = variablesOf(container).some(
    (one) => one.name === name && one.valueFrom?.['configMapKeyRef'],
  );
  if (!variables.has(name) && !refers)
    throw new DoesNotFit(`the chart brings no variable ${name} from the value config.${name} by a ConfigMap`);
}

/** Files of whole ConfigMaps that the container mounts; those of parts, and those under another mount, are left out. */
export function mountedTexts({ container, model }: Server, uses: Uses): { path: string; text: string }[] {
  const { volumes = [] } = model.template.spec;
  const mounts = container.volumeMounts ?? [];
  return mounts.flatMap(({ name, mountPath, subPath, ...rest }) => {
    const configMap = volumes.find((volume) => volume.name === name)?.configMap;
    if (!configMap || configMap.items || subPath !== undefined || 'subPathExpr' in rest) return [];
    return Object.entries(dataOf(uses, configMap.name) ?? {})
      .map(([key, text]) => ({ path: `${mountPath.replace(/\/$/, '')}/${key}`, text }))
      .filter(({ path }) => !mounts.some((other) => other.mountPath === path));
  });
}

function dataOf(uses: Uses, map: string): Record<string, string> | undefined {
  const object = uses.find(({ kind, name }) => kind === 'ConfigMap' && name === map)?.object;
  return object && ((object['data'] ?? {}) as Record<string, string>);
}
