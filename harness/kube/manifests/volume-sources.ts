/** The ConfigMaps and Secrets whose keys are the files of a volume. */
import type { Volume } from '../api/types.ts';
import { field } from './objects.ts';

export interface DataSource {
  kind: 'ConfigMap' | 'Secret';
  name: string;
  /** The keys that are files, and their paths in the volume; absent: every key, under its own name. */
  items: readonly { key: string; path: string }[] | undefined;
}

/** Those of the volume itself, then those of its projected sources. */
export function dataSourcesOf(volume: Volume): DataSource[] {
  return [volume, ...(volume.projected?.sources ?? [])].flatMap((part) => {
    const { configMap, secret } = part;
    return [
      ...source('ConfigMap', field(configMap, 'name'), configMap),
      // A projected Secret has `name`, a volume of its own `secretName`.
      ...source('Secret', field(secret, 'secretName') ?? field(secret, 'name'), secret),
    ];
  });
}

function source(kind: DataSource['kind'], name: unknown, from: unknown): DataSource[] {
  if (typeof name !== 'string' || name === '') return [];
  const items = field(from, 'items');
  return [
    { kind, name, items: Array.isArray(items) ? (items as { key: string; path: string }[]) : undefined },
  ];
}
