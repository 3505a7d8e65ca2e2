/** Where containers read their settings: a variable, a key of a ConfigMap or Secret, a mounted file. */
import type { Container, KubeObject, PodSpec, Volume } from '../../api/types.ts';
import { allContainers, field, podSpecOf } from '../objects.ts';
import { dataSourcesOf } from '../volume-sources.ts';

/** Where the value of a setting is written. */
export type SettingSource =
  /** In the container itself: `env` with a `value`. */
  | { container: Container; variable: string }
  /** In a ConfigMap or Secret; `object` is undefined when it is not rendered. */
  | { kind: 'ConfigMap' | 'Secret'; name: string; key: string; object: KubeObject | undefined };

/** A value that a container reads. */
export interface Setting {
  /** The container that reads it, and its workload. */
  reader: { container: Container; object: KubeObject };
  /** The variable, or the path of the file below its mount. */
  name: string;
  source: SettingSource;
  /** `undefined` when the key, or the object, is not rendered. */
  value: string | undefined;
}

/** Describes a setting by what it is called, or by what its value looks like. */
export interface WantedSetting {
  /** Of variables, keys and files, compared without case and separators: `DATABASE_URL` also finds `database-url`. */
  names: readonly string[];
  /** A regular expression: a value that it matches counts, whatever it is called. */
  like?: string;
}

interface DataKey {
  kind: 'ConfigMap' | 'Secret';
  name: string;
  key: string;
}

/** All settings of all containers of the objects. */
export function settingsOf(objects: readonly KubeObject[]): Setting[] {
  return objects.flatMap((object) => {
    const spec = podSpecOf(object);
    if (!spec) return [];
    const near = objects.filter((other) => isNear(other, object));
    return allContainers(spec).flatMap(({ container }) => {
      const settings = [...ofVariables(container, near), ...ofFiles(spec, container, near)];
      return settings.map((setting) => ({ reader: { container, object }, ...setting }));
    });
  });
}

/** The settings that are meant: by the name of their variable, key or file, or by their value. */
export function settingsLike(objects: readonly KubeObject[], wanted: WantedSetting): Setting[] {
  const names = new Set(wanted.names.map(plain));
  const like = wanted.like === undefined ? undefined : new RegExp(wanted.like, 'i');
  return settingsOf(objects).filter(
    ({ name, source, value }) =>
      names.has(plain(name)) ||
      ('key' in source && names.has(plain(source.key))) ||
      (value !== undefined && like?.test(value) === true),
  );
}

/** `key database-url of Secret web`, `variable DATABASE_URL of container api`. */
export function sourceText(source: SettingSource): string {
  if ('container' in source) return `variable ${source.variable} of container ${source.container.name}`;
  return `key ${source.key} of ${source.kind} ${source.name}`;
}

/** Objects of one release; charts write its namespace into some of them and leave it out of others. */
function isNear({ metadata: one }: KubeObject, { metadata: other }: KubeObject): boolean {
  return one.namespace === undefined || other.namespace === undefined || one.namespace === other.namespace;
}

type Found = Omit<Setting, 'reader'>;

function ofVariables(container: Container, near: readonly KubeObject[]): Found[] {
  const single = (container.env ?? []).flatMap(({ name, value, valueFrom }): Found[] => {
    if (value !== undefined) return [{ name, value, source: { container, variable: name } }];
    const { secretKeyRef, configMapKeyRef } = valueFrom ?? {};
    return [
      ...fromKey(name, 'Secret', secretKeyRef?.name, secretKeyRef?.key, near),
      ...fromKey(name, 'ConfigMap', configMapKeyRef?.name, configMapKeyRef?.key, near),
    ];
  });
  const whole = (container.envFrom ?? []).flatMap((source) => {
    const named = field(source, 'prefix');
    const prefix = typeof named === 'string' ? named : '';
    return [
      ...wholeObject('ConfigMap', source.configMapRef?.name, near, prefix),
      ...wholeObject('Secret', source.secretRef?.name, near, prefix),
    ];
  });
  // `env` takes precedence over `envFrom` (Container v1 core).
  return [...single, ...whole.filter(({ name }) => !single.some((one) => one.name === name))];
}

function ofFiles(spec: PodSpec, { volumeMounts = [] }: Container, near: readonly KubeObject[]): Found[] {
  return volumeMounts.flatMap(({ name, subPath }) => {
    const volume = spec.volumes?.find((one) => one.name === name);
    const files = volume ? filesOf(volume, near) : [];
    return files.filter((file) => subPath === undefined || file.name === subPath);
  });
}

/** With `items` only these keys are files, under their `path`. */
function filesOf(volume: Volume, near: readonly KubeObject[]): Found[] {
  return dataSourcesOf(volume).flatMap(({ kind, name, items }) =>
    items
      ? items.flatMap(({ key, path }) => fromKey(path, kind, name, key, near))
      : wholeObject(kind, name, near),
  );
}

function wholeObject(
  kind: DataKey['kind'],
  name: unknown,
  near: readonly KubeObject[],
  prefix = '',
): Found[] {
  const object = near.find((o) => o.kind === kind && o.metadata.name === name);
  return keysOf(object).flatMap((key) => fromKey(prefix + key, kind, name, key, near));
}

function fromKey(
  setting: string,
  kind: DataKey['kind'],
  name: unknown,
  key: unknown,
  near: readonly KubeObject[],
): Found[] {
  if (typeof name !== 'string' || typeof key !== 'string') return [];
  const object = near.find((o) => o.kind === kind && o.metadata.name === name);
  return [{ name: setting, source: { kind, name, key, object }, value: valueOf(object, key) }];
}

function keysOf(object: KubeObject | undefined): string[] {
  const forms = ['data', 'stringData'].map((form) => field(object, form) ?? {});
  return [...new Set(forms.flatMap((form) => Object.keys(form)))];
}

/** In plain text. The API server prefers `stringData`. */
function valueOf(object: KubeObject | undefined, key: string): string | undefined {
  const open = field(field(object, 'stringData'), key);
  const data = field(field(object, 'data'), key);
  if (typeof open === 'string') return open;
  if (typeof data !== 'string') return undefined;
  return object?.kind === 'Secret' ? Buffer.from(data, 'base64').toString() : data;
}

/** `DATABASE_URL`, `database-url` and `databaseUrl` are one name. */
function plain(name: string): string {
  return name.toLowerCase().replaceAll(/[^a-z0-9]/g, '');
}
