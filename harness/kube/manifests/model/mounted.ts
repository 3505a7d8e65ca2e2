/** What the pods of a workload mount and read: claims, ConfigMaps, Secrets. */
import type { Container, KubeObject, PodSpec } from '../../api/types.ts';
import { allContainers, field, find } from '../objects.ts';
import { dataSourcesOf } from '../volume-sources.ts';
import type { ConfigurationUse, UsedClaim, UsedConfiguration } from './model.ts';

/** @param near the rendered objects of the workload's namespace */
export function claimsOf(object: KubeObject, spec: PodSpec, near: readonly KubeObject[]): UsedClaim[] {
  const volumes = (spec.volumes ?? []).flatMap((volume): UsedClaim[] => {
    const claim = volume.persistentVolumeClaim?.claimName;
    if (claim !== undefined) {
      const rendered = find(near, 'PersistentVolumeClaim', claim);
      return [{ name: claim, origin: 'claim', accessModes: accessModesOf(rendered) }];
    }
    const ephemeral = field(volume['ephemeral'], 'volumeClaimTemplate');
    if (ephemeral === undefined) return [];
    return [{ name: volume.name, origin: 'ephemeral', accessModes: accessModesOf(ephemeral) }];
  });
  const templates = field(object['spec'], 'volumeClaimTemplates');
  const ofTemplates = (Array.isArray(templates) ? (templates as KubeObject[]) : []).map(
    (template): UsedClaim => ({
      name: template.metadata.name,
      origin: 'template',
      accessModes: accessModesOf(template),
    }),
  );
  return [...volumes, ...ofTemplates];
}

function accessModesOf(claim: unknown): string[] {
  const modes = field(field(claim, 'spec'), 'accessModes');
  return Array.isArray(modes) ? modes.map(String) : [];
}

interface Source {
  kind: UsedConfiguration['kind'];
  name: string;
}

/**
 * Every ConfigMap and Secret that a container reads, and how: once for each container, object and use.
 *
 * @param near the rendered objects of the workload's namespace
 */
export function configurationOf(spec: PodSpec, near: readonly KubeObject[]): UsedConfiguration[] {
  const found = new Map<string, UsedConfiguration>();
  for (const { container } of allContainers(spec)) {
    const add = (use: ConfigurationUse, { kind, name }: Source): void => {
      const key = [container.name, use, kind, name].join(' ');
      found.set(key, { kind, name, container: container.name, use, object: find(near, kind, name) });
    };
    for (const source of environmentSources(container)) add('environment', source);
    for (const mount of container.volumeMounts ?? []) {
      const volume = spec.volumes?.find(({ name }) => name === mount.name);
      const use =
        mount.subPath === undefined && field(mount, 'subPathExpr') === undefined ? 'volume' : 'sub-path';
      for (const source of volume ? dataSourcesOf(volume) : []) add(use, source);
    }
  }
  return [...found.values()];
}

function environmentSources({ env = [], envFrom = [] }: Container): Source[] {
  const single = env.flatMap(({ valueFrom }) => [
    ...named('ConfigMap', valueFrom?.['configMapKeyRef']?.name),
    ...named('Secret', valueFrom?.['secretKeyRef']?.name),
  ]);
  const whole = envFrom.flatMap(({ configMapRef, secretRef }) => [
    ...named('ConfigMap', configMapRef?.name),
    ...named('Secret', secretRef?.name),
  ]);
  return [...single, ...whole];
}

function named(kind: Source['kind'], name: unknown): Source[] {
  return typeof name === 'string' && name !== '' ? [{ kind, name }] : [];
}
